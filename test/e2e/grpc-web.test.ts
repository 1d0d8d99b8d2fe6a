// gRPC-Web, which browsers speak, passes as the ordinary requests and responses that it is, by HTTP/1.1 and by HTTP/2.
import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:http2';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';

const NAME = 'web.localhost';
const DOWN = 'down.localhost';

/** A message of any bytes, and how gRPC-Web says how the call ended: a frame like a message, of flag 0x80. */
const MESSAGE = frame(0, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
const TRAILERS = frame(0x80, Buffer.from('grpc-status:5\r\ngrpc-message:nothing%20there\r\n'));

function frame(flags: number, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly grpcStatus: string;
  readonly grpcMessage: string;
  readonly body: Buffer;
}

/** A request that a browser makes of a call. */
interface Call {
  readonly host: string;
  readonly type: string;
  readonly body: Buffer;
}

describe('gRPC-Web', () => {
  let upstream: Server;
  let proxy: Perantara;
  let ca: string;
  const received: { type: string; body: Buffer }[] = [];
  before(async () => {
    upstream = createServer((incoming, response) => {
      void buffer(incoming).then((body) => {
        const type = incoming.headers['content-type'] ?? '';
        received.push({ type, body });
        const answer = Buffer.concat([MESSAGE, TRAILERS]);
        response.writeHead(200, { 'content-type': type });
        response.end(type.includes('-text') ? answer.toString('base64') : answer);
      });
    });
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
    const sites = {
      [NAME]: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      [DOWN]: `http://127.0.0.1:${await freePort()}`,
    };
    proxy = await startPerantara({ config: { sites } });
    await proxy.obtained(NAME, DOWN);
    ca = await readFile(join(proxy.storage, 'local-ca/root.pem'), 'utf8');
  });
  after(async () => {
    await proxy?.stop();
    upstream.close();
    upstream.closeAllConnections();
  });

  const byHttp1 = async (_t: TestContext, { host, type, body }: Call): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { host, 'content-type': type, 'x-grpc-web': '1' };
    const address = { host: '127.0.0.1', port: proxy.httpsPort, servername: host, ca, path: '/test.Talk/Say' };
    request({ ...address, method: 'POST', headers, agent: false }, resolve)
      .on('error', reject)
      .end(body);
    const response = await promise;
    const field = (name: string): string => String(response.headers[name] ?? '');
    return {
      status: response.statusCode ?? 0,
      type: field('content-type'),
      grpcStatus: field('grpc-status'),
      grpcMessage: field('grpc-message'),
      body: await buffer(response),
    };
  };
  const byHttp2 = async (t: TestContext, { host, type, body }: Call): Promise<Answer> => {
    const session = connect(`https://127.0.0.1:${proxy.httpsPort}`, { servername: host, ca });
    t.after(() => session.destroy());
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/test.Talk/Say',
      ':authority': host,
      'content-type': type,
      'x-grpc-web': '1',
    });
    stream.end(body);
    const [head] = await once(stream, 'response');
    const field = (name: string): string => String(head[name] ?? '');
    return {
      status: Number(head[':status']),
      type: field('content-type'),
      grpcStatus: field('grpc-status'),
      grpcMessage: field('grpc-message'),
      body: await buffer(stream),
    };
  };

  for (const [version, call] of [
    ['HTTP/1.1', byHttp1],
    ['HTTP/2', byHttp2],
  ] as const) {
    for (const type of ['application/grpc-web+proto', 'application/grpc-web-text']) {
      test(`${type} by ${version} passes untouched both ways`, async (t) => {
        received.length = 0;
        const isText = type.includes('-text');
        const body = isText ? Buffer.from(MESSAGE.toString('base64')) : MESSAGE;
        const answer = await call(t, { host: NAME, type, body });
        deepStrictEqual(received, [{ type, body }]);
        deepStrictEqual([answer.status, answer.type, answer.grpcStatus], [200, type, '']);
        const brought = isText ? Buffer.from(String(answer.body), 'base64') : answer.body;
        deepStrictEqual(brought, Buffer.concat([MESSAGE, TRAILERS]));
      });

      test(`${type} by ${version} is told that the server is down in a head without content`, async (t) => {
        const answer = await call(t, { host: DOWN, type, body: Buffer.from('AAAAAAA=') });
        deepStrictEqual([answer.status, answer.type, answer.grpcStatus], [200, type, '14']);
        match(answer.grpcMessage, /^The service behind this site .*Request id: \w+$/);
        strictEqual(answer.body.length, 0);
      });
    }
  }
});
