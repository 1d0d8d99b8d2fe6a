// WebSockets by HTTP/2 (RFC 8441) to upstreams that know only the upgrade of HTTP/1.1: an extended CONNECT of node:http2's.
import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, type TestContext, test } from 'node:test';
import { ask, openSession } from '../support/node-h2-client.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

/** Real WebSockets, and an upgrade to bytes that come back as they are. */
const NAME = 'app.localhost';
const RAW = 'raw.localhost';
const MIB = 1024 * 1024;

/** RFC 6455 section 4.2.2. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** A text frame as clients send them: masked (RFC 6455 section 5.2). */
function frame(text: string): Buffer {
  const content = Buffer.from(text);
  const mask = randomBytes(4);
  return Buffer.concat([
    Buffer.from([0x81, 0x80 | content.length]),
    mask,
    content.map((byte, i) => byte ^ mask[i % 4]!),
  ]);
}

interface Upgraded {
  readonly request: IncomingMessage;
  readonly socket: Socket;
}

describe('WebSockets by HTTP/2', () => {
  let upstream: SampleUpstream;
  let raw: Server;
  let proxy: Perantara;
  let ca: string;
  let upgraded = Promise.withResolvers<Upgraded>();
  before(async () => {
    upstream = await startSampleUpstream();
    raw = createServer().on('upgrade', (request, socket: Socket) => {
      socket.on('error', () => {});
      upgraded.resolve({ request, socket });
      const accept = acceptOf(request.headers['sec-websocket-key'] ?? '');
      const fields = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`;
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}Sec-WebSocket-Protocol: chat\r\n\r\nfirst`);
      if (request.url === '/echo') socket.pipe(socket);
      else socket.resume();
    });
    await once(raw.listen(0, '127.0.0.1'), 'listening');
    const sites = { [NAME]: upstream.url, [RAW]: `http://127.0.0.1:${(raw.address() as AddressInfo).port}` };
    proxy = await startPerantara({ config: { sites } });
    await proxy.obtained(NAME, RAW);
    ca = await readFile(join(proxy.storage, 'local-ca/root.pem'), 'utf8');
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
    raw?.close();
    raw?.closeAllConnections();
  });

  const open = (t: TestContext, name: string): Promise<ClientHttp2Session> => {
    upgraded = Promise.withResolvers<Upgraded>();
    return openSession(t, { port: proxy.httpsPort, name, ca });
  };
  const tunnel = async (
    session: ClientHttp2Session,
    path: string,
    fields: OutgoingHttpHeaders = {},
  ): Promise<[ClientHttp2Stream, OutgoingHttpHeaders]> => {
    const head = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, 'sec-websocket-version': '13' };
    const stream = session.request({ ...head, ...fields }, { endStream: false });
    stream.on('error', () => {});
    const [response] = await once(stream, 'response');
    return [stream, response];
  };

  test('the server says in its SETTINGS that it can', async (t) => {
    const session = await open(t, NAME);
    strictEqual(session.remoteSettings.enableConnectProtocol, true);
  });

  test('a WebSocket echoes, among other requests of its session', async (t) => {
    const session = await open(t, NAME);
    const [stream, head] = await tunnel(session, '/echo');
    strictEqual(head[':status'], 200);
    for (const text of ['one', 'two', 'three']) {
      stream.write(frame(text));
      const [echo] = (await once(stream, 'data')) as [Buffer];
      deepStrictEqual(echo, Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
      strictEqual((await ask(session, { ':path': '/bytes/10' })).body.length, 10);
    }
    stream.close();
    strictEqual((await ask(session, { ':path': '/bytes/10' })).status, 200);
  });

  test('the upstream gets an upgrade with a key of the proxy’s; what it answers about that stays behind', async (t) => {
    const fields = { 'sec-websocket-protocol': 'chat, other', origin: 'https://app.example', cookie: 'a=1' };
    const [stream, head] = await tunnel(await open(t, RAW), '/echo?q=1', fields);
    const { request } = await upgraded.promise;
    strictEqual(`${request.method} ${request.url} ${request.httpVersion}`, 'GET /echo?q=1 1.1');
    match(request.headers.connection ?? '', /^upgrade$/i);
    match(request.headers.upgrade ?? '', /^websocket$/i);
    strictEqual(Buffer.from(request.headers['sec-websocket-key'] ?? '', 'base64').length, 16);
    strictEqual(request.headers['sec-websocket-version'], '13');
    strictEqual(request.headers['sec-websocket-protocol'], 'chat, other');
    strictEqual(request.headers.origin, 'https://app.example');
    strictEqual(request.headers.cookie, 'a=1');
    strictEqual(request.headers['x-forwarded-proto'], 'https');
    deepStrictEqual([head[':status'], head['sec-websocket-protocol']], [200, 'chat']);
    for (const name of ['sec-websocket-accept', 'upgrade', 'connection']) strictEqual(head[name], undefined, name);
    stream.close();
  });

  test('bytes pass both ways at once, whole; the end of each direction is told, the other goes on', async (t) => {
    const session = await open(t, RAW);
    const [stream] = await tunnel(session, '/echo');
    const body = randomBytes(8 * MIB);
    stream.end(body);
    const echo = await buffer(stream);
    ok(echo.equals(Buffer.concat([Buffer.from('first'), body])));
    strictEqual(session.destroyed, false);

    const [other] = await tunnel(await open(t, RAW), '/');
    const { socket } = await upgraded.promise;
    socket.end('last');
    strictEqual(String(await buffer(other)), 'firstlast');
    const received = once(socket, 'data');
    other.write('still there');
    strictEqual(String((await received)[0]), 'still there');
    other.close();
  });

  test('a client that gives up is gone at the upstream, and an upstream that breaks off at the client', async (t) => {
    const session = await open(t, RAW);
    const [stream] = await tunnel(session, '/');
    const { socket } = await upgraded.promise;
    const gone = new Promise((resolve) => void socket.on('end', resolve).on('close', resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await gone;
    socket.destroy();

    upgraded = Promise.withResolvers<Upgraded>();
    const [other] = await tunnel(session, '/');
    const closed = new Promise((resolve) => void other.resume().on('close', resolve));
    (await upgraded.promise).socket.resetAndDestroy();
    await closed;
    notStrictEqual(other.rstCode, constants.NGHTTP2_NO_ERROR);
    strictEqual(session.destroyed, false);
  });

  test('a refusal of the upstream is the answer, with its status and content', async (t) => {
    const session = await open(t, NAME);
    const [, nowhere] = await tunnel(session, '/nowhere');
    strictEqual(nowhere[':status'], 404);
    const [stream, plain] = await tunnel(session, '/nowhere');
    strictEqual(plain[':status'], 404);
    stream.close();
    strictEqual((await ask(session, { ':path': '/status/200' })).status, 200);
  });
});
