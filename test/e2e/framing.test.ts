// Unusual but lawful exchanges: pipelined requests, answers that end with the connection, answers before the request ends.
import { match, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, openssl, type Run } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';

const NAME = 'app.localhost';
const TOOLS = await needsTools('curl', 'openssl');

async function serve(t: TestContext, target: string): Promise<Perantara> {
  const proxy = await startPerantara({ config: { sites: { [NAME]: target } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  return proxy;
}

/** An upstream that answers as `answer` does once it has seen a whole request head. */
async function rawUpstream(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    let seen = '';
    socket.on('data', (chunk) => {
      if (seen.includes('\r\n\r\n')) return;
      seen += chunk.toString('latin1');
      if (seen.includes('\r\n\r\n')) answer(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function ask(proxy: Perantara, args: readonly string[], input?: Buffer): Promise<Run> {
  const trust = ['--http1.1', '--cacert', join(proxy.storage, 'local-ca/root.pem')];
  const resolve = ['--resolve', `${NAME}:${proxy.httpsPort}:127.0.0.1`];
  const options = input === undefined ? {} : { input };
  return curl([...trust, ...resolve, ...args, `https://${NAME}:${proxy.httpsPort}/`], options);
}

test('pipelined requests are answered in their order, though the first takes longest', TOOLS, async (t) => {
  const upstream = await startSampleUpstream();
  t.after(() => upstream.close());
  const proxy = await serve(t, upstream.url);
  const paths = ['/late?ms=400', '/status/201', '/status/202', '/status/203'];
  const last = `GET /status/204 HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`;
  const input = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`).join('') + last;
  const address = ['-connect', `127.0.0.1:${proxy.httpsPort}`, '-servername', NAME];
  const { stdout } = await openssl(['s_client', '-quiet', '-ign_eof', ...address], { input });
  strictEqual([...stdout.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status).join(), '200,201,202,203,204');
});

test('an answer without a length ends with the upstream’s connection, and the client can tell', TOOLS, async (t) => {
  const target = await rawUpstream(t, (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${'until the close '.repeat(10_000)}`);
  });
  const proxy = await serve(t, target);
  const { stdout, code } = await ask(proxy, ['-i']);
  strictEqual(code, 0);
  match(stdout, /\r\ntransfer-encoding: chunked\r\n/i);
  strictEqual(stdout.split('\r\n\r\n')[1], 'until the close '.repeat(10_000));
});

test('an answer that breaks off breaks off at the client too', TOOLS, async (t) => {
  const target = await rawUpstream(t, (socket) => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this', () => socket.destroySoon());
  });
  const { code } = await ask(await serve(t, target), []);
  ok(code === 18 || code === 56, `curl ended with ${code}: 18 is a partial file, 56 a reset`);
});

test('an answer that is not HTTP gives 502', TOOLS, async (t) => {
  const target = await rawUpstream(t, (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
  match((await ask(await serve(t, target), ['-i'])).stdout, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
});

test('an answer that comes before the upload ends reaches the client', TOOLS, async (t) => {
  const target = await rawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nfirst');
  });
  const { stdout } = await ask(await serve(t, target), ['-i', '-T', '-'], Buffer.alloc(8 * 1024 * 1024));
  match(stdout, /HTTP\/1\.1 401 Unauthorized\r\n(.*\r\n)*\r\nfirst$/);
});
