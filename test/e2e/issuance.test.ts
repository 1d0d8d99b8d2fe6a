// Certificates by HTTP-01 from a real CA, by a real `perantara run`: many names, one of them failing, a restart.

import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Inventory } from '../../src/certs/inventory.ts';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, openssl, perantara, type Run } from '../support/program.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const NAMES = Array.from({ length: 12 }, (_, i) => `site-${i + 1}.example.org`);
const BROKEN = 'broken.example.org';
/** Nobody answers on this address of loopback. */
const ELSEWHERE = '127.0.0.77';

describe(
  'with a real certificate authority',
  await needsTools('pebble', 'pebble-challtestsrv', 'curl', 'openssl'),
  () => {
    let folder: string;
    let httpPort: number;
    let upstream: SampleUpstream;
    let pebble: Pebble;
    let proxy: Perantara;
    let rootFile: string;
    const requestsToCa: string[] = [];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'perantara-issuance-'));
      rootFile = join(folder, 'root.pem');
      httpPort = await freePort();
      upstream = await startSampleUpstream();
      pebble = await startPebble({ httpPort, onLine: (line) => void requestsToCa.push(line) });
      await pebble.setAddress(BROKEN, ELSEWHERE);
      await writeFile(rootFile, await pebble.rootPem());
      await writeFile(join(folder, 'trust.pem'), pebble.trustPem);
      proxy = await start([BROKEN, ...NAMES]);
      await proxy.obtained(...NAMES);
    });
    after(async () => {
      await proxy?.stop();
      await Promise.all([pebble?.stop(), upstream?.close()]);
      await rm(folder, { recursive: true, force: true });
    });

    const start = (names: readonly string[]): Promise<Perantara> =>
      startPerantara({
        config: {
          acme: { directory: pebble.directoryUrl, trust: join(folder, 'trust.pem'), email: 'ops@example.org' },
          storage: join(folder, 'storage'),
          listen: { http: `127.0.0.1:${httpPort}`, https: '127.0.0.1:0' },
          sites: Object.fromEntries(names.map((name) => [name, upstream.url])),
        },
      });
    const stored = (name: string, file: string): string =>
      join(
        folder,
        'storage/certificates',
        new URL(pebble.directoryUrl).host.replace(':', '-').concat('-dir'),
        name,
        file,
      );
    const get = (name: string): Promise<Run> => {
      const resolve = `${name}:${proxy.httpsPort}:127.0.0.1`;
      return curl(['--cacert', rootFile, '--resolve', resolve, `https://${name}:${proxy.httpsPort}/`]);
    };

    test('every name gets a certificate of its own, and curl with the CA’s root accepts it', async () => {
      for (const name of NAMES) {
        const { code, text } = await get(name);
        strictEqual(code, 0, text);
        match(text, /<h1>It works<\/h1>/);
        const { stdout } = await openssl(['x509', '-in', stored(name, 'cert.pem'), '-noout', '-ext', 'subjectAltName']);
        strictEqual(stdout.split('\n')[1]?.trim(), `DNS:${name}`);
      }
    });

    test('each certificate has its own P-256 key, and no file in storage is readable by others', async () => {
      const keys = new Set<string>();
      for (const name of NAMES) {
        const { stdout } = await openssl(['pkey', '-in', stored(name, 'key.pem'), '-noout', '-text_pub']);
        match(stdout, /NIST CURVE: P-256/);
        keys.add(stdout);
        strictEqual((await stat(stored(name, 'key.pem'))).mode & 0o777, 0o600);
        strictEqual((await stat(stored(name, '.'))).mode & 0o777, 0o700);
      }
      strictEqual(keys.size, NAMES.length);
    });

    test('stored files are ordinary PEM: openssl verifies the chain up to the CA’s root', async () => {
      const file = stored(NAMES[0]!, 'cert.pem');
      const { code, text } = await openssl(['verify', '-CAfile', rootFile, '-untrusted', file, file]);
      strictEqual(code, 0, text);
    });

    test('a name whose challenge fails delays no other, and shows the CA’s own words in the log', async () => {
      const failure = await proxy.logged(({ msg, name }) => msg === 'certificate not obtained' && name === BROKEN);
      match(String(failure.err?.message), new RegExp(`${ELSEWHERE.replaceAll('.', '\\.')}.*connection refused`));
      strictEqual(failure.level, 'error');
      strictEqual(failure.failures, 1);
      const { code } = await get(BROKEN);
      strictEqual(code, 35, 'a name without a certificate is refused in the handshake');
    });

    test('`perantara certs` lists every name and, below the failing one, the CA’s own words', async () => {
      await proxy.logged(({ msg, name }) => msg === 'certificate not obtained' && name === BROKEN);
      const table = await perantara(['certs', '--config', proxy.configFile]);
      strictEqual(table.code, 0, table.text);
      match(table.stdout, /^NAME +STATE +EXPIRES +LEFT +NEXT STEP$/m);
      // Long sentences are broken between words.
      const entries = table.stdout.replace(/\n {4}/g, ' ');
      const failing = new RegExp(
        `^${BROKEN} +failing .*\\n(  .*\\n)*  last error .* ago: .*connection refused.*; next attempt in \\d`,
        'm',
      );
      match(entries, failing);
      for (const name of NAMES)
        match(table.stdout, new RegExp(`^${name} +valid .* days .*\\n  Pebble Intermediate CA \\w+, `, 'm'));
    });

    test('`perantara certs --json` says the same to programs', async () => {
      const { stdout } = await perantara(['certs', '--json', '--config', proxy.configFile]);
      const { certificates: statuses } = JSON.parse(stdout) as Inventory;
      deepStrictEqual(
        statuses.map(({ name, state }) => [name, state]),
        [[BROKEN, 'failing'], ...NAMES.map((name) => [name, 'valid'])],
      );
      match(statuses[0]!.lastError!.message, /connection refused/);
    });

    test('a name added by a restart is obtained with the account of before; the others are not asked for again', async () => {
      const asked = requestsToCa.length;
      proxy.signal('SIGTERM');
      strictEqual(await proxy.exited, 0);
      proxy = await start([BROKEN, ...NAMES, 'added.example.org']);
      await proxy.obtained('added.example.org');
      strictEqual((await get('added.example.org')).code, 0);
      deepStrictEqual(
        proxy.log.filter(({ msg }) => msg === 'certificate obtained').map(({ name }) => name),
        ['added.example.org'],
      );
      const accounts = requestsToCa.filter((line) => /There are now \d+ accounts in memory/.test(line));
      strictEqual(accounts.length, 1, accounts.join('\n'));
      const orders = requestsToCa.slice(asked).filter((line) => /There are now \d+ orders in the db/.test(line));
      strictEqual(orders.length, 1, orders.join('\n'));
    });

    test('a restart serves the stored certificates while the CA is gone, and remembers when to ask again', async () => {
      const before = await Promise.all(NAMES.map((name) => readFile(stored(name, 'cert.pem'), 'utf8')));
      proxy.signal('SIGTERM');
      strictEqual(await proxy.exited, 0);
      await pebble.stop();
      proxy = await start([BROKEN, ...NAMES]);
      for (const name of NAMES) strictEqual((await get(name)).code, 0, name);
      const waiting = await proxy.logged(({ name, msg }) => name === BROKEN && /waits for its next attempt/.test(msg));
      match(String(waiting.lastError), /connection refused/);
      const after = await Promise.all(NAMES.map((name) => readFile(stored(name, 'cert.pem'), 'utf8')));
      deepStrictEqual(after, before);
      const failures = proxy.log.filter(({ level }) => level === 'error');
      deepStrictEqual(failures, [], 'nobody asked the CA');
    });
  },
);
