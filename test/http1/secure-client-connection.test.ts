// What TLS does differently under an HTTP/1.1 connection: it goes on handing out what it had decrypted, and its end, after
// it has been told to stop.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { BufferPool } from '../../src/core/buffer-pool.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { EndOfTurn } from '../../src/core/end-of-turn.ts';
import type { PerantaraError } from '../../src/core/errors.ts';
import { connectSecure } from '../../src/core/secure-upstream-socket.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { ResponseObserver } from '../../src/http/response-observer.ts';
import { ClientConnection } from '../../src/http1/client-connection.ts';
import { TlsContexts } from '../../src/upstream/tls-contexts.ts';
import { TIMEOUTS } from '../support/bare-proxy.ts';
import { type Script, startOrigin } from '../support/origin.ts';
import { originTls, secureTarget } from '../support/secure-origin.ts';

const CONTENT = randomBytes(200_000);
const TEXT = CONTENT.toString('latin1');
const CHUNKED = `${CONTENT.length.toString(16)}\r\n${TEXT}\r\n0\r\nX-Sum: 1\r\n\r\n`;

async function startConnection(t: TestContext, script: Script): Promise<ClientConnection> {
  const origin = await startOrigin(t, script, { tls: originTls() });
  const target = secureTarget(origin.port);
  assert.ok(target.protocol === 'https');
  const { servername, verify } = target.tls;
  const address = { host: '127.0.0.1', port: origin.port };
  const place = { address, servername, verify, context: new TlsContexts().for(target.tls) };
  const services = { sweep: new DeadlineSweep(), turn: new EndOfTurn(), buffers: new BufferPool() };
  const owner = { onIdle() {}, onClosed() {} };
  const { promise: secured, resolve } = Promise.withResolvers<void>();
  const open = (onread: object): Socket =>
    connectSecure(place, ['http/1.1'], onread as never).once('secureConnect', () => resolve());
  const connection = new ClientConnection(open, owner, { timeouts: TIMEOUTS, ...services });
  t.after(() => connection.destroy());
  await secured;
  return connection;
}

/** Resolves with the content. It pauses after each piece, for a turn of the event loop or more. */
function readSlowly(connection: ClientConnection): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const observer: ResponseObserver = {
      onConnect() {},
      onInformation() {},
      onResponse() {},
      onUpgrade() {},
      onResponseData: (chunk) => {
        pieces.push(Buffer.from(chunk));
        connection.pause();
        setImmediate(() => setImmediate(() => connection.resume()));
      },
      onResponseIdle() {},
      onRequestDrain() {},
      onResponseEnd: () => resolve(Buffer.concat(pieces)),
      onResponseError: (error: PerantaraError) => reject(error),
    };
    const headers = new HeaderList(['Host', 'a']);
    const request = { method: 'GET', target: '/', headers, length: 0, upgradeTo: null, acceptsTrailers: false };
    connection.send(request, observer);
  });
}

for (const [what, answer] of [
  ['a declared length', `Content-Length: ${CONTENT.length}\r\n\r\n${TEXT}`],
  ['chunks', `Transfer-Encoding: chunked\r\n\r\n${CHUNKED}`],
  ['no declared end', `\r\n${TEXT}`],
] as const) {
  test(`an answer with ${what} is whole though its end comes while nobody reads`, async (t) => {
    const connection = await startConnection(t, (_asked, peer) => {
      peer.socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n${answer}`, 'latin1');
    });
    assert.ok((await readSlowly(connection)).equals(CONTENT));
  });

  test(`an answer with ${what} that is cut while nobody reads is not whole`, async (t) => {
    const connection = await startConnection(t, async (_asked, peer) => {
      await peer.send(`HTTP/1.1 200 OK\r\n${answer.slice(0, 150_000)}`);
      peer.cut();
    });
    await assert.rejects(readSlowly(connection), { code: 'upstream_closed', message: /close_notify/ });
  });
}

test('what is written has an end while the upstream does not read', async (t) => {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<Socket>();
  const connection = await startConnection(t, (_asked, peer) => onAsked(peer.socket.pause()));
  const { promise: drained, resolve: onRequestDrain } = Promise.withResolvers<void>();
  const headers = new HeaderList(['Host', 'a']);
  const request = { method: 'PUT', target: '/', headers, length: null, upgradeTo: null, acceptsTrailers: false };
  const observer = { onRequestDrain } as ResponseObserver;
  connection.send(request, observer);
  const socket = await asked;
  let written = 0;
  for (const chunk = Buffer.alloc(256 * 1024); connection.write(Buffer.from(chunk)); written++) {
    assert.ok(written < 1_000, 'there is no end');
    await new Promise(setImmediate);
  }
  socket.resume();
  await drained;
});
