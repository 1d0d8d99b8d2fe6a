// The admin endpoint of the real program, as the person on call uses it: curl, the verbs, signals.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askAdmin } from '../admin/ask-admin.ts';
import { freePort } from '../support/free-port.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, perantara } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SITES = { 'app.localhost': 'http://127.0.0.1:9' };

async function start(t: TestContext, config: Readonly<Record<string, unknown>> = {}): Promise<Perantara> {
  const proxy = await startPerantara({ config: { sites: SITES, ...config } });
  t.after(() => proxy.stop());
  return proxy;
}

const opened = (proxy: Perantara): Promise<unknown> => proxy.logged(({ msg }) => msg === 'admin endpoint open');

/** Changes the file that the program was started with. */
async function change(proxy: Perantara, config: Readonly<Record<string, unknown>>): Promise<void> {
  const before = JSON.parse(await readFile(proxy.configFile, 'utf8')) as object;
  await writeFile(proxy.configFile, JSON.stringify({ ...before, ...config }, null, 2));
}

test('curl and the verbs ask the running program through a socket that is its own', async (t) => {
  const proxy = await start(t);
  const socket = join(proxy.storage, 'admin.sock');
  await proxy.obtained('app.localhost');
  assert.equal(((await stat(socket)).mode & 0o777).toString(8), '600');
  const { stdout } = await curl(['--unix-socket', socket, 'http://localhost/status']);
  const status = JSON.parse(stdout);
  assert.deepEqual([status.pid, status.state, status.sites], [proxy.pid, 'serving', 1]);
  assert.deepEqual(
    status.listeners.map(({ protocol, port }: { protocol: string; port: number }) => [protocol, port]),
    [
      ['http', proxy.httpPort],
      ['https', proxy.httpsPort],
    ],
  );
  const { certificates } = (await askAdmin(socket, '/certificates')).json;
  assert.deepEqual([certificates.length, certificates[0].name, certificates[0].state], [1, 'app.localhost', 'valid']);
  assert.equal(certificates[0].next.step, 'renew');
  assert.deepEqual((await askAdmin(socket, '/targets')).json.targets, [
    { name: 'http://127.0.0.1:9', inflight: 0, connections: 0, drained: false, failure: null },
  ]);
  const config = await askAdmin(socket, '/config');
  assert.deepEqual(
    config.json.sites.map(({ host }: { host: string }) => host),
    ['app.localhost'],
  );

  await change(proxy, { sites: { ...SITES, 'new.localhost': 'http://127.0.0.1:9' } });
  const reloaded = await perantara(['reload', '--config', proxy.configFile]);
  assert.match(reloaded.stdout, /: in force as generation 2; sites added: new\.localhost\n$/, reloaded.text);
  await proxy.obtained('new.localhost');
  await change(proxy, { sites: { 'app.localhost': 'ftp://x' } });
  const refused = await perantara(['reload', '--config', proxy.configFile]);
  const validated = await perantara(['validate', '--config', proxy.configFile]);
  assert.equal(refused.stderr, `${validated.stderr}not reloaded: generation 2 stays in force\n`);
  assert.equal(refused.code, 1);
  const shown = await perantara(['status', '--config', proxy.configFile]);
  assert.match(shown.stdout, /generation 2, loaded .*\n +last reload .* was refused: cannot use .*: 1 problem\n/);
  assert.match(shown.stdout, /^certificates 2 valid$/m);
});

test('debug lines come and go with the log level that is set through the endpoint', async (t) => {
  const proxy = await start(t);
  await opened(proxy);
  const socket = join(proxy.storage, 'admin.sock');
  await askAdmin(socket, '/log-level', { method: 'PUT', body: 'error' });
  proxy.signal('SIGHUP');
  while ((await askAdmin(socket, '/status')).json.lastReload === null);
  await askAdmin(socket, '/log-level', { method: 'PUT', body: 'info' });
  proxy.signal('SIGHUP');
  const { generation } = await proxy.logged(({ msg }) => msg === 'configuration in force');
  assert.equal(generation, 3, 'that of the first reload is not there: it is info');
});

test('a reload by signal and a refused one show in the status', async (t) => {
  const proxy = await start(t);
  await opened(proxy);
  const socket = join(proxy.storage, 'admin.sock');
  await change(proxy, { sites: {} });
  proxy.signal('SIGHUP');
  await proxy.logged(({ msg }) => msg === 'configuration refused, the one before stays');
  const { lastReload, config } = (await askAdmin(socket, '/status')).json;
  assert.deepEqual([lastReload.accepted, config.generation], [false, 1]);
  assert.match(lastReload.message, /^cannot use the new configuration: \d problem/);
});

test('two processes on one storage both serve; the second has no endpoint until the first has ended', async (t) => {
  const first = await start(t);
  await opened(first);
  const second = await start(t, { storage: first.storage });
  await second.logged(({ msg }) => msg.startsWith('no admin endpoint: another process answers'));
  const socket = join(first.storage, 'admin.sock');
  assert.equal((await askAdmin(socket, '/status')).json.pid, first.pid);
  // The verb does not take the first for the second.
  const { code, stderr } = await perantara(['reload', '--config', second.configFile]);
  assert.equal(code, 1);
  assert.ok(stderr.includes(`pid ${first.pid} serves ${first.configFile}`), stderr);
  first.signal('SIGTERM');
  assert.equal(await first.exited, 0);
  await opened(second);
  assert.equal((await askAdmin(socket, '/status')).json.pid, second.pid);
});

test('it answers while requests are finished, and says that the process is not ready', async (t) => {
  const { promise: held, resolve: hold } = Promise.withResolvers<import('node:http').ServerResponse>();
  const upstream = await startSampleUpstream({
    handle: (_request, response) => {
      hold(response);
      return true;
    },
  });
  t.after(() => upstream.close());
  const proxy = await start(t, { sites: { 'app.localhost': upstream.url } });
  await proxy.obtained('app.localhost');
  const url = `https://app.localhost:${proxy.httpsPort}/held`;
  const asked = curl(['-k', '--resolve', `app.localhost:${proxy.httpsPort}:127.0.0.1`, url]);
  const response = await held;
  const socket = join(proxy.storage, 'admin.sock');
  assert.deepEqual((await askAdmin(socket, '/targets')).json.targets[0].inflight, 1);
  proxy.signal('SIGTERM');
  while ((await askAdmin(socket, '/ready')).status !== 503);
  assert.deepEqual((await askAdmin(socket, '/ready')).json, { ready: false, state: 'stopping' });
  response.end('late');
  assert.equal((await asked).stdout, 'late');
  assert.equal(await proxy.exited, 0);
  assert.equal(existsSync(socket), false);
});

test('a place that was written and cannot be had ends the start with one sentence', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'perantara.yaml');
  const listen = '{ http: "off", https: "127.0.0.1:0" }';
  await writeFile(file, `admin: ./none/admin.sock\nlisten: ${listen}\nsites: { app.localhost: 9 }\n`);
  const { code, stderr } = await perantara(['run', '--config', file, '--log-level', 'error']);
  assert.deepEqual(
    [code, stderr],
    [1, `cannot open the admin socket "${folder}/none/admin.sock": its folder does not exist\n`],
  );
});

test('a reload moves it, and is refused when it cannot go there', async (t) => {
  const proxy = await start(t);
  await opened(proxy);
  const port = await freePort();
  const token = '0123456789abcdef';
  await change(proxy, { admin: { address: `127.0.0.1:${port}`, token } });
  const old = join(proxy.storage, 'admin.sock');
  const moved = await askAdmin(old, '/reload', { method: 'POST' });
  assert.deepEqual([moved.status, moved.json.generation], [200, 2]);
  assert.equal(existsSync(old), false);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await askAdmin(port, '/status', { headers })).json.config.generation, 2);
  assert.equal((await askAdmin(port, '/status')).status, 401);
  assert.doesNotMatch((await askAdmin(port, '/config', { headers })).text, new RegExp(token));

  await change(proxy, { admin: join(proxy.storage, 'none', 'admin.sock'), sites: { ...SITES, 'new.localhost': 9 } });
  const refused = await askAdmin(port, '/reload', { method: 'POST', headers });
  assert.equal(refused.status, 422);
  assert.match(refused.json.message, /^cannot open the admin socket .*: its folder does not exist$/);
  const { config, sites } = (await askAdmin(port, '/status', { headers })).json;
  assert.deepEqual([config.generation, sites], [2, 1]);
});

test('perantara proxy has none', async (t) => {
  const storage = join(await temporaryFolder(t), 'certs');
  const flags = ['--http', 'off', '--https', '127.0.0.1:0', '--storage', storage];
  const proxy = await startPerantara({
    args: ['proxy', '--from', 'localhost', '--to', '9', ...flags, '--log-format', 'json'],
  });
  t.after(() => proxy.stop());
  await proxy.obtained('localhost');
  assert.equal(existsSync(join(storage, 'admin.sock')), false);
});
