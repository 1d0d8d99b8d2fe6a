import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { verifyIssued } from '../../src/certs/certificate.ts';
import { LocalCa } from '../../src/certs/local-ca.ts';
import { FileLocker } from '../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
import { type CapturedLog, capturedLog } from '../support/captured-log.ts';
import { obtain } from '../support/certificate-request.ts';
import { needsTools } from '../support/needs-tools.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTool } from '../support/tools.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const DAY = 86_400_000;

interface Rig {
  readonly folder: string;
  readonly ca: LocalCa;
  readonly logged: CapturedLog;
  /** The same storage in another process at another time. */
  later(ms: number): LocalCa;
}

async function rig(t: TestContext): Promise<Rig> {
  const folder = await temporaryFolder(t);
  const logged = capturedLog();
  const start = Date.now();
  const later = (ms: number): LocalCa =>
    new LocalCa({
      storage: new FileStorage(folder),
      locker: new FileLocker(folder),
      log: logged.log,
      clock: { now: () => start + ms },
    });
  return { folder, ca: later(0), logged, later };
}

test('leaves carry exactly their names, DNS and addresses and wildcards, for at most 90 days', async (t) => {
  const { ca } = await rig(t);
  const names = ['localhost', '*.dev.localhost', '127.0.0.1', '::1'];
  const leaf = await obtain(ca, names, never);
  verifyIssued(leaf, names, Date.now());
  assert.ok(leaf.notAfter - Date.now() <= 90 * DAY);
  // keyUsage is what Node calls the extended one; this is serverAuth, which browsers insist on.
  assert.deepEqual(new X509Certificate(leaf.certPem).keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(createPrivateKey(leaf.keyPem).asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

test(
  'openssl accepts the leaf as a server’s by every rule it knows, for the name and no other',
  await needsTools('openssl'),
  async (t) => {
    const { ca, folder } = await rig(t);
    const leaf = await obtain(ca, ['app.localhost'], never);
    await writeFile(join(folder, 'leaf.pem'), leaf.certPem);
    const openssl = await findTool('openssl');
    const verify = (host: string) =>
      run(openssl, [
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        '-verify_hostname',
        host,
        '-CAfile',
        ca.rootPath,
        join(folder, 'leaf.pem'),
      ]);
    assert.match((await verify('app.localhost')).stdout, /leaf\.pem: OK/);
    await assert.rejects(verify('other.localhost'), /hostname mismatch/);
  },
);

test(
  'curl with the root trusted loads a page by name and by address, and without it refuses',
  await needsTools('curl'),
  async (t) => {
    const { ca } = await rig(t);
    const leaf = await obtain(ca, ['app.localhost', '127.0.0.1'], never);
    const server = createServer({ cert: leaf.certPem, key: leaf.keyPem }, (_request, response) =>
      response.end('hello'),
    );
    server.listen(0, '127.0.0.1');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const curl = await findTool('curl');
    const load = async (host: string, ...options: string[]): Promise<string> =>
      (await run(curl, ['-sS', '--resolve', `app.localhost:${port}:127.0.0.1`, ...options, `https://${host}:${port}/`]))
        .stdout;
    assert.equal(await load('app.localhost', '--cacert', ca.rootPath), 'hello');
    assert.equal(await load('127.0.0.1', '--cacert', ca.rootPath), 'hello');
    await assert.rejects(load('app.localhost'), /certificate/);
  },
);

test(
  'Chromium with the root trusted loads a page; without it shows its warning',
  await needsTools('chromium'),
  async (t) => {
    const { ca, folder } = await rig(t);
    const leaf = await obtain(ca, ['localhost'], never);
    const server = createServer({ cert: leaf.certPem, key: leaf.keyPem }, (_request, response) =>
      response.end('hello from perantara'),
    );
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // Trust in a profile of its own would need certutil; the leaf's key pinned by its hash stands in, and only for a chain
    // whose leaf parses and is in order.
    const spki = new X509Certificate(leaf.certPem).publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(spki).digest('base64');
    const chromium = await findTool('chromium');
    const dump = async (...options: string[]): Promise<string> => {
      const flags = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${join(folder, 'profile')}`,
        '--dump-dom',
      ];
      return (await run(chromium, [...flags, ...options, `https://localhost:${port}/`], { timeout: 60_000 })).stdout;
    };
    assert.match(await dump(`--ignore-certificate-errors-spki-list=${pin}`), /hello from perantara/);
    assert.doesNotMatch(await dump(), /hello from perantara/);
  },
);

test('the root is made once, reused after a restart, and its place and use are logged when it is made', async (t) => {
  const { ca, logged, later } = await rig(t);
  const leaves = await Promise.all(
    ['a.localhost', 'b.localhost', 'c.localhost'].map((name) => obtain(ca, [name], never)),
  );
  const again = later(DAY);
  for (const leaf of leaves) assert.equal(await again.recognizes(leaf), true);
  await obtain(again, ['d.localhost'], never);
  assert.deepEqual(logged.messages(), ['local root certificate created']);
  assert.equal(logged.lines[0]?.file, ca.rootPath);
  assert.match(String(logged.lines[0]?.trust), /curl --cacert .*local-ca\/root\.pem/);
});

test('two processes that start at once make one root', async (t) => {
  const { ca, later } = await rig(t);
  const other = later(0);
  const [one, two] = await Promise.all([obtain(ca, ['a.localhost'], never), obtain(other, ['b.localhost'], never)]);
  assert.equal(one.issuer, two.issuer);
});

test('the file to be trusted holds no key, and nobody else can read the one that does', async (t) => {
  const { ca, folder } = await rig(t);
  await obtain(ca, ['a.localhost'], never);
  assert.doesNotMatch(await readFile(ca.rootPath, 'utf8'), /PRIVATE/);
  assert.equal((await stat(join(folder, 'local-ca', 'bundle.pem'))).mode & 0o777, 0o600);
  const root = new X509Certificate(await readFile(ca.rootPath));
  assert.equal(root.ca, true);
  assert.equal(root.validToDate.getUTCFullYear() - new Date().getUTCFullYear(), 10);
});

test('a root close to its end is replaced, and leaves of the old one are no longer recognized', async (t) => {
  const { ca, later } = await rig(t);
  const leaf = await obtain(ca, ['a.localhost'], never);
  const aged = later(3_600 * DAY);
  const fresh = await obtain(aged, ['a.localhost'], never);
  assert.notEqual(fresh.issuer, leaf.issuer);
  assert.equal(await aged.recognizes(fresh), true);
  assert.equal(await aged.recognizes(leaf), false);
});

test('a root that was removed or damaged is made anew, and old leaves are no longer recognized', async (t) => {
  const { ca, folder, later } = await rig(t);
  const leaf = await obtain(ca, ['a.localhost'], never);
  await writeFile(join(folder, 'local-ca', 'bundle.pem'), 'damaged');
  const restarted = later(1);
  assert.equal(await restarted.recognizes(leaf), false);
  assert.notEqual((await obtain(restarted, ['a.localhost'], never)).issuer, leaf.issuer);
});
