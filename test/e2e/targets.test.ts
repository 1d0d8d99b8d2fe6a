// Where requests go: several targets in turn, a dead one among them, a unix socket. Asked by curl.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, type Run } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'app.localhost';
const TOOLS = await needsTools('curl');

/** A proxy for one site, and a curl to it. */
async function serve(
  t: TestContext,
  site: unknown,
): Promise<{ proxy: Perantara; ask: (...args: string[]) => Promise<Run> }> {
  const proxy = await startPerantara({ config: { sites: { [NAME]: site } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const trust = ['--http1.1', '--cacert', join(proxy.storage, 'local-ca/root.pem')];
  const resolve = ['--resolve', `${NAME}:${proxy.httpsPort}:127.0.0.1`];
  const url = (path: string): string => `https://${NAME}:${proxy.httpsPort}${path}`;
  return { proxy, ask: (path, ...args) => curl([...trust, ...resolve, ...args, url(path)]) };
}

/** Answers every request with its name. */
async function named(t: TestContext, name: string, listen: string | number): Promise<number> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(name));
  });
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  await once(typeof listen === 'string' ? server.listen(listen) : server.listen(listen, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' ? address!.port : 0;
}

test('several targets are used in turn', TOOLS, async (t) => {
  const ports = [await named(t, 'a', 0), await named(t, 'b', 0), await named(t, 'c', 0)];
  const { ask } = await serve(t, { proxy: ports.map((port) => `http://127.0.0.1:${port}`) });
  const seen: string[] = [];
  for (let i = 0; i < 6; i++) seen.push((await ask('/')).stdout);
  deepStrictEqual(seen.sort(), ['a', 'a', 'b', 'b', 'c', 'c']);
});

test('a dead target among several costs no request, not even one with content', TOOLS, async (t) => {
  const port = await named(t, 'alive', 0);
  const dead = `http://127.0.0.1:${await freePort()}`;
  const { ask } = await serve(t, { proxy: [dead, `http://127.0.0.1:${port}`] });
  for (let i = 0; i < 4; i++) {
    strictEqual((await ask('/')).stdout, 'alive');
    strictEqual((await ask('/', '-d', 'content '.repeat(10_000))).stdout, 'alive');
  }
});

test('when all targets are dead the answer is 502', TOOLS, async (t) => {
  const dead = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const { ask, proxy } = await serve(t, { proxy: dead });
  match((await ask('/', '-i')).stdout, /^HTTP\/1\.1 502 /);
  const tried = proxy.log.filter(({ msg }) => msg === 'upstream failed').map(({ target }) => target);
  deepStrictEqual(tried.sort(), dead.sort());
});

test('a target that comes up after the proxy is used as soon as it is there', TOOLS, async (t) => {
  const port = await freePort();
  const { ask } = await serve(t, `http://127.0.0.1:${port}`);
  match((await ask('/', '-i')).stdout, /^HTTP\/1\.1 502 /);
  await named(t, 'now', port);
  strictEqual((await ask('/')).stdout, 'now');
});

test('an upstream that restarts is not noticed by clients', TOOLS, async (t) => {
  const first = await startSampleUpstream();
  t.after(() => first.close());
  const { ask } = await serve(t, first.url);
  strictEqual((await ask('/status/200')).stdout, 'status 200\n');
  await first.close();
  const second = await startSampleUpstream({ port: first.port });
  t.after(() => second.close());
  strictEqual((await ask('/status/200', '-i', '-w', '%{http_code}')).stdout.endsWith('status 200\n200'), true);
});

test('a unix socket is a target', TOOLS, async (t) => {
  const socket = join(await temporaryFolder(t), 'app.sock');
  await named(t, 'by socket', socket);
  const { ask } = await serve(t, `http://unix:${socket}`);
  strictEqual((await ask('/', '-d', 'x')).stdout, 'by socket');
});

test('a name is looked up when connecting: localhost, by IPv4 or IPv6', TOOLS, async (t) => {
  const upstream = await startSampleUpstream();
  t.after(() => upstream.close());
  const { ask } = await serve(t, String(upstream.port));
  ok((await ask('/')).stdout.includes('It works'));
});
