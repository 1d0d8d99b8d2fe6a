// `npm run bench:scale`: ten thousand sites, twenty thousand open connections, two workers. Loopback only; every load and child is
// bounded.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { makeLoadRig } from './load/rig.ts';
import { describeMachine } from './machine.ts';
import { startOrigins } from './origin.ts';
import { findPeerProgram } from './peer-program.ts';
import { type ConnectionFigures, measureConnections } from './scale/connections.ts';
import { mintFleet, writeFleetConfig } from './scale/fleet.ts';
import { connectionTable, type ScaleResults, siteTable, workersTable, writeScalePage } from './scale/page.ts';
import { measureSites, type SitesSample } from './scale/sites.ts';
import { settled, startOn } from './scale/started.ts';
import { measureWorkers } from './scale/workers.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/scale.md');
const PROXY_CORE = 0;
const LOAD_CORE = 1;
const USAGE = `usage: npm run bench:scale [-- FLAGS]

  --sites LIST       numbers of sites (default 1,100,10000); 0 leaves this part out
  --connections N    open connections (default 20000); 0 leaves this part out
  --workers N        runs with one worker and with two (default 5); 0 leaves this part out
  --repeat N         starts of each number of sites (default 3)
  --seconds N        length of the load of requests (default 5)
  --write            write docs/scale.md although flags were given; without flags it is written
`;

interface Options {
  readonly counts: readonly number[];
  readonly connections: number;
  readonly workerRuns: number;
  readonly repeats: number;
  readonly seconds: number;
  readonly write: boolean;
  readonly command: string;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`bench:scale: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      sites: { type: 'string', default: '1,100,10000' },
      connections: { type: 'string', default: '20000' },
      workers: { type: 'string', default: '5' },
      repeat: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    counts: values.sites
      .split(',')
      .map((text) => number('--sites', text, 0, 50_000))
      .filter((count) => count > 0),
    connections: number('--connections', values.connections, 0, 100_000),
    workerRuns: number('--workers', values.workers, 0, 50),
    repeats: number('--repeat', values.repeat, 1, 20),
    seconds: number('--seconds', values.seconds, 1, 60),
    write: values.write || argv.length === 0,
    command: ['npm run bench:scale', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' '),
  };
}

function number(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${flag}: "${text}" is not a whole number from ${least} to ${most}`);
}

async function main(options: Options): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error('cannot measure here: it reads /proc and pins to cores, as on Linux');
  if (availableParallelism() < 2) throw new Error('cannot measure on one core: proxy and load need one each');
  const folder = await mkdtemp(join(tmpdir(), 'perantara-scale-'));
  const cleanUp = (signal: NodeJS.Signals): void => {
    // Children end with this process (test/support/child.ts).
    void rm(folder, { recursive: true, force: true }).finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', cleanUp).once('SIGTERM', cleanUp);
  try {
    const results = await measure(folder, options);
    if (options.write) {
      await writeFile(PAGE, writeScalePage(results));
      process.stdout.write('\nwritten: docs/scale.md\n');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    process.off('SIGINT', cleanUp).off('SIGTERM', cleanUp);
  }
}

async function measure(folder: string, options: Options): Promise<ScaleResults> {
  const startedAt = new Date();
  const rig = await makeLoadRig(LOAD_CORE, folder);
  const nginx = await findPeerProgram('nginx');
  const origins = await startOrigins(LOAD_CORE, folder, nginx);
  const sites: { count: number; samples: SitesSample[] }[] = options.counts.map((count) => ({ count, samples: [] }));
  let connections: ConnectionFigures | null = null;
  try {
    process.stdout.write(`${origins.description}\nminting certificates …\n`);
    mintFleet(folder, Math.max(1, ...options.counts));
    const place = { folder, rig, core: PROXY_CORE, httpsPort: await freePort(), upstreamPort: origins.ports.content };
    for (let turn = 0; turn < options.repeats; turn++)
      for (const { count, samples } of sites) {
        samples.push(await measureSites(count, { ...place, seconds: options.seconds }));
        process.stdout.write(`${siteTable([{ count, samples: samples.slice(-1) }])}\n`);
      }
    if (options.connections > 0) {
      const started = await startOn(writeFleetConfig(folder, { count: 1, ...place }), PROXY_CORE);
      try {
        await settled(started.pid);
        const load = { port: place.httpsPort, core: LOAD_CORE };
        connections = await measureConnections(options.connections, started, load);
        process.stdout.write(`${connectionTable(connections)}\n`);
      } finally {
        await started.process.stop();
      }
    }
  } finally {
    await origins.stop();
  }
  const workers =
    options.workerRuns === 0
      ? []
      : await measureWorkers(folder, {
          ...{ rig, nginx, repeats: options.workerRuns, seconds: options.seconds },
          onSample: (sample) => void process.stdout.write(`${workersTable([sample])}\n`),
        });
  const wrong = [
    ...sites.flatMap(({ samples }) => samples.flatMap(({ errors }) => errors)),
    ...(connections?.errors ?? []),
    ...workers.flatMap(({ errors }) => errors),
  ];
  if (wrong.length > 0) process.exitCode = 1;
  return {
    command: options.command,
    startedAt: startedAt.toISOString(),
    tookSeconds: Math.round((Date.now() - startedAt.getTime()) / 1_000),
    machine: await describeMachine(),
    repeats: options.repeats,
    origin: origins.description,
    sites,
    connections,
    workers,
  };
}
