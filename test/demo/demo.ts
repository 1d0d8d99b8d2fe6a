// `npm run demo`: Perantara, a real ACME server and a sample upstream on this machine, until Ctrl-C. With `--check` it makes
// the requests itself, prints one line per check and ends.
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { freePorts } from '../support/free-port.ts';
import { CHECKS } from './checks.ts';
import { Demo } from './demo-rig.ts';

const USAGE = `Usage: npm run demo [-- OPTION…]

  --check            make the requests, print one line per check, end with 0 or 1
  --http-port PORT   Perantara's plain port (default: any free one)
  --https-port PORT  Perantara's TLS port (default: any free one)
  --help             show this
`;

const options = readOptions();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const [freeHttp, freeHttps] = (await freePorts(2)) as [number, number];
const demo = new Demo({
  httpPort: options.httpPort ?? freeHttp,
  httpsPort: options.httpsPort ?? freeHttps,
  say,
});
const interrupt = Promise.withResolvers<'interrupted'>();
// Every further signal is ignored: closing takes a few seconds at most, and leaving early would leave things behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupt.resolve('interrupted'));

let failures = 0;
try {
  const outcome = await Promise.race([demo.start(), interrupt.promise]);
  if (options.check) {
    if (outcome === 'interrupted') throw new Error('interrupted');
    failures = await runChecks();
  } else if (outcome !== 'interrupted') {
    say(whatToTry());
    await Promise.race([interrupt.promise, demo.ended()]);
  }
} catch (error) {
  failures = 1;
  say(`FAIL  ${(error as Error).message}`);
}
say('closing');
await demo.close();
process.exit(failures === 0 ? 0 : 1);

function say(line: string): void {
  process.stdout.write(`${process.stdout.isTTY ? line : stripVTControlCharacters(line)}\n`);
}

function readOptions(): {
  check: boolean;
  help: boolean;
  httpPort: number | null;
  httpsPort: number | null;
} {
  try {
    const { values } = parseArgs({
      options: {
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        'http-port': { type: 'string' },
        'https-port': { type: 'string' },
      },
    });
    const { check, help } = values;
    return {
      check,
      help,
      httpPort: readPort(values['http-port']),
      httpsPort: readPort(values['https-port']),
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function readPort(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new Error(`cannot use port ${JSON.stringify(text)}: not a number from 1 to 65535`);
  return port;
}

/** Resolves with the number of checks that failed. */
async function runChecks(): Promise<number> {
  let failed = 0;
  for (const check of CHECKS) {
    try {
      await check.run(demo);
      say(`ok    ${check.name}`);
    } catch (error) {
      failed++;
      say(`FAIL  ${check.name}: ${(error as Error).message}`);
    }
  }
  say(`${CHECKS.length - failed} of ${CHECKS.length} checks passed`);
  return failed;
}

function whatToTry(): string {
  const { httpPort, httpsPort, rootFile } = demo;
  const [app, shop] = demo.names;
  const curl = (flags: string, name: string, path: string): string =>
    `  curl ${flags} --cacert ${rootFile} --resolve ${name}:${httpsPort}:127.0.0.1 https://${name}:${httpsPort}${path}`;
  return [
    '',
    'Try in another terminal:',
    curl('-i', app, '/headers'),
    curl('-i', shop, '/'),
    curl('-N', app, '/events'),
    `  curl -i --resolve ${app}:${httpPort}:127.0.0.1 http://${app}:${httpPort}/some/page`,
    '',
    'Ctrl-C ends it all.',
  ].join('\n');
}
