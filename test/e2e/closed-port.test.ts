// Where no plain listener is: names and an address proved on the port that serves sites, by the whole program.
import { doesNotMatch, match, ok, strictEqual } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CertificateStatus } from '../../src/certs/certificate-status.ts';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { startPebble } from '../support/pebble.ts';
import { startPerantara } from '../support/perantara.ts';
import { curl, perantara } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'closed.example.org';
const ADDRESS = '127.0.0.1';
const TOOLS = await needsTools('pebble', 'pebble-challtestsrv', 'curl');

test('with listen.http off a name and an address are proved by TLS-ALPN-01 and served', TOOLS, async (t) => {
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const profiles = {
    default: { description: 'long', validityPeriod: 7_776_000 },
    shortlived: { description: 'short', validityPeriod: 518_400 },
  };
  const pebble = await startPebble({ httpPort, tlsPort: httpsPort, config: { profiles } });
  t.after(() => pebble.stop());
  const proxy = await startPerantara({
    config: {
      acme: { directory: pebble.directoryUrl, trust: pebble.trustFile },
      listen: { http: 'off', https: `127.0.0.1:${httpsPort}` },
      sites: {
        [NAME]: { respond: 'name\n' },
        [ADDRESS]: { respond: 'address\n', tls: { issuer: pebble.directoryUrl } },
      },
    },
  });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME, ADDRESS);
  const rootFile = join(await temporaryFolder(t), 'root.pem');
  await writeFile(rootFile, await pebble.rootPem());
  const resolve = `${NAME}:${httpsPort}:127.0.0.1`;
  const named = await curl(['--cacert', rootFile, '--resolve', resolve, `https://${NAME}:${httpsPort}/`]);
  strictEqual(named.stdout, 'name\n', named.text);
  const addressed = await curl(['--cacert', rootFile, `https://${ADDRESS}:${httpsPort}/`]);
  strictEqual(addressed.stdout, 'address\n', addressed.text);
  const { stdout } = await perantara(['certs', '--json', '--config', proxy.configFile]);
  const { certificates } = JSON.parse(stdout) as { certificates: readonly CertificateStatus[] };
  for (const { challenge } of certificates) strictEqual(challenge, 'tls-alpn-01');
  const short = certificates.find(({ name }) => name === ADDRESS)!;
  strictEqual(short.profile, 'shortlived');
  ok(short.notAfter! - short.notBefore! < 7 * 86_400_000);

  const check = await perantara(['check', NAME, '--resolver', pebble.dnsAddress, '--config', proxy.configFile]);
  strictEqual(check.code, 0, check.text);
  match(check.stdout, /^ok {7}directory: localhost:\d+ answers$/m);
  match(check.stdout, /^ok {7}storage: /m);
  match(check.stdout, /^unknown {2}tls-alpn-01: port 443 of 127\.0\.0\.1 /m);
  doesNotMatch(check.stdout, /http-01/, 'nobody listens for it');
});
