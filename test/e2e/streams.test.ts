// What stays open: WebSockets by the `ws` package, server-sent events by curl.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';
import { findTool } from '../support/tools.ts';

const NAME = 'app.localhost';
const PATIENCE = { deadlineMs: 20_000 };

describe('long-lived connections', await needsTools('curl'), () => {
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let ca: string;
  /** Closes as the path says: `/CODE/REASON`; what clients closed with is kept. */
  const closing = new WebSocketServer({ noServer: true });
  const closed: [number, string][] = [];
  const closer = createServer().on('upgrade', (request, socket, head) => {
    closing.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('close', (code, reason) => void closed.push([code, String(reason)]));
      const [, code, reason] = (request.url ?? '').split('/');
      if (code !== '') webSocket.close(Number(code), reason);
    });
  });

  before(async () => {
    upstream = await startSampleUpstream();
    await once(closer.listen(0, '127.0.0.1'), 'listening');
    const sites = {
      [NAME]: upstream.url,
      'closing.localhost': `http://127.0.0.1:${(closer.address() as AddressInfo).port}`,
    };
    proxy = await startPerantara({ config: { sites } });
    await proxy.obtained(NAME, 'closing.localhost');
    ca = await readFile(join(proxy.storage, 'local-ca/root.pem'), 'utf8');
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
    closer.close();
    closer.closeAllConnections();
  });

  const open = async (t: TestContext, path = '/echo', host = NAME): Promise<WebSocket> => {
    const headers = { host: `${host}:${proxy.httpsPort}` };
    const options = { ca, servername: host, headers };
    const socket = new WebSocket(`wss://127.0.0.1:${proxy.httpsPort}${path}`, options);
    t.after(() => socket.terminate());
    socket.on('error', () => {});
    await once(socket, 'open');
    return socket;
  };
  const echo = async (socket: WebSocket, data: string | Buffer): Promise<[Buffer, boolean]> => {
    const answer = once(socket, 'message') as Promise<[Buffer, boolean]>;
    socket.send(data);
    return answer;
  };

  test('text and binary messages come back as what they were', async (t) => {
    const socket = await open(t);
    const [text, textIsBinary] = await echo(socket, 'grüß dich');
    deepStrictEqual([String(text), textIsBinary], ['grüß dich', false]);
    const bytes = randomBytes(1_000);
    const [data, dataIsBinary] = await echo(socket, bytes);
    deepStrictEqual([data, dataIsBinary], [bytes, true]);
  });

  test('messages of 1 MiB come back whole, several on their way at once', async (t) => {
    const socket = await open(t);
    const sent = Array.from({ length: 8 }, () => randomBytes(1024 * 1024));
    const received: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (received.push(data) === sent.length) resolve();
      });
    });
    for (const message of sent) socket.send(message);
    await all;
    ok(sent.every((message, i) => message.equals(received[i]!)));
  });

  test('a ping is answered by the upstream’s pong', async (t) => {
    const socket = await open(t);
    const pong = once(socket, 'pong');
    socket.ping('are you there');
    strictEqual(String((await pong)[0]), 'are you there');
  });

  test('the upstream’s close code and reason reach the client', async (t) => {
    const socket = await open(t, '/4001/enough', 'closing.localhost');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    deepStrictEqual([code, String(reason)], [4001, 'enough']);
  });

  test('the client’s close code and reason reach the upstream, and the client’s close is answered', async (t) => {
    const socket = await open(t, '/', 'closing.localhost');
    closed.length = 0;
    socket.close(4002, 'goodbye');
    deepStrictEqual((await once(socket, 'close'))[0], 4002);
    await retry(async () => deepStrictEqual(closed, [[4002, 'goodbye']]), PATIENCE);
  });

  test('a client that vanishes is closed at the upstream too', async (t) => {
    const socket = await open(t, '/', 'closing.localhost');
    closed.length = 0;
    socket.terminate();
    await retry(async () => deepStrictEqual(closed, [[1006, '']]), PATIENCE);
  });

  test('fifty WebSockets at once each get their own messages', async (t) => {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open(t)));
    const answers = await Promise.all(sockets.map((socket, i) => echo(socket, `message for ${i}`)));
    for (const [i, [data]] of answers.entries()) strictEqual(String(data), `message for ${i}`);
  });

  test('an upgrade that the upstream refuses is refused to the client', async (t) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const options = { ca, servername: NAME, headers: { host: NAME } };
    const socket = new WebSocket(`wss://127.0.0.1:${proxy.httpsPort}/nowhere`, options);
    t.after(() => socket.terminate());
    socket.on('error', () => {}).on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    strictEqual(await promise, 404);
  });

  test('the first server-sent event arrives while the stream goes on, and each further one as it is sent', async (t) => {
    const root = join(proxy.storage, 'local-ca/root.pem');
    const resolve = ['--resolve', `${NAME}:${proxy.httpsPort}:127.0.0.1`];
    const url = `https://${NAME}:${proxy.httpsPort}/events`;
    const curl = spawn(await findTool('curl'), ['-q', '-sSN', '--max-time', '30', '--cacert', root, ...resolve, url]);
    t.after(() => curl.kill('SIGKILL'));
    match(String((await once(curl.stdout, 'data'))[0]), /^data: \d{4}-[^\n]+\n\n$/);
    match(String((await once(curl.stdout, 'data'))[0]), /^data: \d{4}-[^\n]+\n\n$/);
    strictEqual(curl.exitCode, null, 'the stream goes on');
    const connections = await upstream.connections();
    curl.kill('SIGKILL');
    await retry(async () => ok((await upstream.connections()) < connections), PATIENCE);
  });

  test('an upstream that dies closes its clients', async (t) => {
    const sockets = [await open(t), await open(t)];
    const ends = sockets.map((socket) => once(socket, 'close'));
    await upstream.close();
    for (const end of ends) strictEqual((await end)[0], 1006);
  });
});
