// A certificate that falls due while traffic runs: what is open goes on, what is new sees the new certificate.
import { match, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.ts';
import { startGate } from '../support/gate.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { startPerantara } from '../support/perantara.ts';
import { curl, openssl, perantara } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTool } from '../support/tools.ts';

const NAME = 'renewed.example.org';
const TOOLS = await needsTools('pebble', 'pebble-challtestsrv', 'curl', 'openssl');
const DAY_MS = 86_400_000;

interface Site {
  readonly folder: string;
  readonly pebble: Pebble;
  /** Lets the CA be reached. */
  readonly release: () => void;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A CA behind a gate that is shut: whoever asks it waits. */
async function gatedSite(t: TestContext): Promise<Site> {
  const folder = await temporaryFolder(t);
  const httpPort = await freePort();
  const upstream = await startSampleUpstream();
  t.after(() => upstream.close());
  const pebble = await startPebble({ httpPort });
  t.after(() => pebble.stop());
  const gate = await startGate();
  t.after(() => gate.close());
  await writeFile(join(folder, 'trust.pem'), pebble.trustPem);
  return {
    folder,
    pebble,
    release: () => gate.open(Number(new URL(pebble.directoryUrl).port)),
    config: {
      acme: { directory: `https://localhost:${gate.port}/dir`, trust: join(folder, 'trust.pem') },
      storage: join(folder, 'storage'),
      listen: { http: `127.0.0.1:${httpPort}`, https: '127.0.0.1:0' },
      sites: { [NAME]: upstream.url },
    },
  };
}

/** Where the certificate of `NAME` lies for this config. */
function storedFolder({ folder, config }: Site): string {
  const { host } = new URL((config.acme as { directory: string }).directory);
  return join(folder, `storage/certificates/${host.replace(':', '-')}-dir`, NAME);
}

async function servedIssuer(port: number): Promise<string> {
  const shown = await openssl(['s_client', '-connect', `127.0.0.1:${port}`, '-servername', NAME]);
  return /^issuer=(.*)$/m.exec(shown.text)?.[1] ?? 'none';
}

test('a renewal swaps the certificate under running traffic and drops no connection', TOOLS, async (t) => {
  const site = await gatedSite(t);
  const old = mint([NAME], makeAuthority('Old Authority'), {
    notBefore: Date.now() - 70 * DAY_MS,
    notAfter: Date.now() + 20 * DAY_MS,
  });
  await mkdir(storedFolder(site), { recursive: true, mode: 0o700 });
  await writeFile(join(storedFolder(site), 'bundle.pem'), old.keyPem + old.certPem, { mode: 0o600 });
  const proxy = await startPerantara({ config: site.config });
  t.after(() => proxy.stop());
  const { httpsPort } = proxy;

  match(await servedIssuer(httpsPort), /Old Authority/, 'the stored certificate is served until the CA answers');
  const address = ['-connect', `127.0.0.1:${httpsPort}`, '-servername', NAME];
  const keptOpen = spawn(await findTool('openssl'), ['s_client', '-quiet', '-ign_eof', ...address]);
  t.after(() => keptOpen.kill('SIGKILL'));
  const ask = async (path: string): Promise<string> => {
    keptOpen.stdin.write(`GET ${path} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
    return String((await once(keptOpen.stdout, 'data'))[0]);
  };
  match(await ask('/headers'), /^HTTP\/1\.1 200 /);
  const options = { servername: NAME, headers: { host: NAME }, ca: old.certPem, rejectUnauthorized: false };
  const socket = new WebSocket(`wss://127.0.0.1:${httpsPort}/echo`, options);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const echo = async (text: string): Promise<void> => {
    const answer = once(socket, 'message');
    socket.send(text);
    strictEqual(String((await answer)[0]), text);
  };
  await echo('before');

  site.release();
  const { reason } = await proxy.logged(({ msg }) => msg === 'certificate renewed');
  strictEqual(reason, 'lifetime');
  match(await servedIssuer(httpsPort), /Pebble Intermediate/, 'a new handshake sees the new certificate');
  await echo('after');
  match(await ask('/headers'), /^HTTP\/1\.1 200 /, 'the connection from before goes on');
  strictEqual(keptOpen.exitCode, null);

  const newKey = await readFile(join(storedFolder(site), 'key.pem'), 'utf8');
  notStrictEqual(newKey.trim(), old.keyPem.trim(), 'a new key at each issuance');
});

test(
  'while the CA does not answer, listeners are open and the name is refused; then its certificate appears',
  TOOLS,
  async (t) => {
    const site = await gatedSite(t);
    const proxy = await startPerantara({ config: site.config });
    t.after(() => proxy.stop());
    const { httpsPort, httpPort } = proxy;
    const shown = await openssl(['s_client', '-connect', `127.0.0.1:${httpsPort}`, '-servername', NAME]);
    match(shown.text, /alert number 112/);
    match(shown.text, /no peer certificate available/);
    const plain = await curl(['-i', '-H', `Host: ${NAME}`, `http://127.0.0.1:${httpPort}/`]);
    match(plain.stdout, /^HTTP\/1\.1 308 /);

    site.release();
    await proxy.obtained(NAME);
    match(await servedIssuer(httpsPort), /Pebble Intermediate/);
  },
);

// That it is repeated by itself after a minute is shown with a fake clock in test/certs/manager.test.ts.
test(
  'a CA that is down at the start is reported; once it is up, forgetting the failure repeats it at once',
  TOOLS,
  async (t) => {
    const site = await gatedSite(t);
    const caPort = await freePort();
    const config = {
      ...site.config,
      acme: { directory: `https://localhost:${caPort}/dir`, trust: join(site.folder, 'trust.pem') },
    };
    const first = await startPerantara({ config });
    t.after(() => first.stop());
    const failure = await first.logged(({ msg }) => msg === 'certificate not obtained');
    match(String(failure.err?.message), new RegExp(`^cannot reach "localhost:${caPort}": .*refus`, 'i'));
    ok(Date.parse(String(failure.nextAttemptAt)) > Date.now());
    const { stdout } = await perantara(['certs', '--config', first.configFile]);
    match(stdout, new RegExp(`^${NAME} +failing`, 'm'));
    match(stdout, /last error .* ago: cannot reach "localhost:\d+"/);
    first.signal('SIGTERM');
    strictEqual(await first.exited, 0);

    const gate = await startGate(caPort);
    t.after(() => gate.close());
    gate.open(Number(new URL(site.pebble.directoryUrl).port));
    await rm(storedFolder({ ...site, config }), { recursive: true });
    const second = await startPerantara({ config });
    t.after(() => second.stop());
    await second.obtained(NAME);
    match(await servedIssuer(second.httpsPort), /Pebble Intermediate/);
  },
);
