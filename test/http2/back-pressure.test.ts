// What one side does not take is not taken from the other, on real sockets and by counting; and it holds up nobody else.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Handler } from '../../src/http/exchange.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { StreamHost } from '../../src/http2/stream.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { type ContentSource, sourceHandler } from '../support/content-source.ts';
import { NETWORK_BYTES, OFFERED_BYTES } from '../support/flood.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM, INITIAL_WINDOW_SIZE, rstStream, windowUpdate } from '../support/h2-frames.ts';
import { requestFields } from '../support/h2-headers.ts';
import { H2Upload } from '../support/h2-upload.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const MIB = 1024 * 1024;
const LARGE_WINDOW = 2 ** 30;

/** Resolves with the value when it has not changed for a while. */
async function atRest(value: () => number): Promise<number> {
  for (let before = Number.NaN, same = 0; ; ) {
    const now = value();
    same = now === before ? same + 1 : 0;
    if (same > 20) return now;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A server of content whose client shuts the window of each stream at first. */
async function startSource(t: TestContext, chunkBytes?: number) {
  const sources: ContentSource[] = [];
  const handler = sourceHandler((source) => sources.push(source), chunkBytes);
  const proxy = await startBareProxy(t, 1, handler, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain', settings: [[INITIAL_WINDOW_SIZE, 0]] });
  peer.send(windowUpdate(0, LARGE_WINDOW));
  const host = (): StreamHost => (sources[0]!.exchange as unknown as { host: StreamHost }).host;
  return { proxy, peer, sources, host };
}

test('streams that nobody takes hold so much each and so much together, and never stop one that moves', async (t) => {
  const { proxy, peer, sources, host } = await startSource(t, 40_000);
  const stalled = Array.from({ length: 100 }, (_, i) => 2 * i + 1);
  for (const stream of stalled) peer.headers(stream, requestFields(`/${100 * MIB}`), END_STREAM);
  await peer.roundTrip();
  const queued = host().pump.queuedBytes;
  // 1 MiB, and for each stream the chunk that it gave before it was told.
  assert.ok(queued >= MIB && queued <= MIB + 100 * 40_000, `${queued}`);
  for (const source of sources) assert.ok(source.given <= 160_000, `${source.given} of one stream`);
  const moving = [301, 303, 305];
  for (const stream of moving) {
    peer.headers(stream, requestFields(`/${5 * MIB}`), END_STREAM);
    peer.send(windowUpdate(stream, LARGE_WINDOW));
  }
  for (const stream of moving) assert.equal((await peer.response(stream)).received, 5 * MIB);
  peer.headers(307, requestFields('/10', 'HEAD'), END_STREAM);
  await peer.response(307);
  for (const stream of stalled) assert.equal(peer.stream(stream).received, 0);
  // One that may go on does so, however crowded it is.
  peer.habits.returnWindow = false;
  peer.send(windowUpdate(1, 10 * MIB));
  await peer.when(() => peer.stream(1).received === 10 * MIB);
  for (const stream of stalled) peer.send(rstStream(stream));
  await peer.roundTrip();
  assert.deepEqual([host().pump.queuedBytes, host().pump.idle], [0, true]);
  assert.equal(peer.goaway, null);
  peer.destroy();
  await proxy.idle();
});

test('a download of an origin stops when its client takes nothing, goes on when it does, and is complete', async (t) => {
  let origin: Peer | null = null;
  let offered = 0;
  const server = await startOrigin(t, async ({ startLine }, peer) => {
    if (startLine.includes('/small')) {
      await peer.send(ok());
      return;
    }
    origin = peer;
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${40 * MIB}\r\n\r\n`);
    for (; offered < 40 * MIB; offered += MIB) await peer.send(Buffer.alloc(MIB, 'd'));
  });
  const proxy = await startBareProxy(t, server.port, undefined, 'h2c');
  const habits = { returnWindow: false };
  const peer = await openH2(t, proxy.port, { carrier: 'plain', habits });
  peer.headers(1, requestFields('/large'), END_STREAM);
  assert.equal(await atRest(() => peer.stream(1).received), 65_535);
  const taken = await atRest(() => offered);
  assert.ok(taken < NETWORK_BYTES, `${taken} bytes were taken from the origin`);
  peer.send(windowUpdate(0, 1_000));
  peer.headers(3, requestFields('/small'), END_STREAM);
  assert.equal((await peer.response(3)).body, 'hello');
  peer.habits.returnWindow = true;
  peer.send(windowUpdate(0, MIB), windowUpdate(1, MIB));
  assert.equal((await peer.response(1)).received, 40 * MIB);
  assert.ok(origin !== null);
  assert.equal(peer.goaway, null);
});

test('an upload stops when its origin takes nothing, holds up nobody’s, and gets there whole when it does', async (t) => {
  const server = await startOrigin(t, async ({ startLine }, peer) => {
    if (startLine.includes('/stalled')) peer.socket.pause();
    else await peer.message().then(({ body }) => peer.send(ok(String(body.length))));
  });
  const proxy = await startBareProxy(t, server.port, undefined, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain' });
  const upload = new H2Upload(peer);
  peer.headers(1, requestFields('/stalled', 'POST'));
  await server.request(0);
  const taken = await upload.fill(1, OFFERED_BYTES);
  assert.ok(taken < NETWORK_BYTES, `${taken} bytes were taken from the client`);
  assert.ok(upload.windows.own(1) === 0, 'all that the window allows');
  assert.ok(upload.windows.window(3) > 0, 'the connection has not been used up by it');
  peer.headers(3, requestFields('/taken', 'POST'));
  assert.equal(await upload.fill(3, 3 * MIB), 3 * MIB);
  upload.end(3);
  assert.equal((await peer.response(3)).body, String(3 * MIB));
  const stalled = server.peers[0]!;
  stalled.socket.resume();
  upload.end(1);
  assert.equal((await stalled.message()).body.length, taken);
  await stalled.send(ok('whole'));
  assert.equal((await peer.response(1)).body, 'whole');
});

test('an upload that nobody wants yet is taken as far as its window and no further', async (t) => {
  const proxy = await startBareProxy(t, 1, () => {}, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain' });
  const upload = new H2Upload(peer);
  peer.headers(1, requestFields('/', 'POST'));
  assert.equal(await upload.fill(1, MIB), 64 * 1024);
  peer.destroy();
  await proxy.idle();
});

test('requests without end of a client that reads nothing are taken until the network is full, and no further', async (t) => {
  for (const carrier of ['h2c', 'tls'] as const) {
    let served = 0;
    const handler: Handler = (exchange) => {
      const headers = new HeaderList(['X-Long', String(served++).padStart(8_000, 'x')]);
      exchange.respond({ status: 200, reason: '', headers }, 0);
      exchange.end(null);
    };
    const proxy = await startBareProxy(t, 1, handler, carrier);
    const peer = await openH2(t, proxy.port, { carrier: carrier === 'tls' ? 'tls' : 'plain' });
    peer.socket.pause();
    let isTaken = true;
    const fields = requestFields('/0', 'HEAD', [['x-long', 'y'.repeat(8_000)]]);
    for (let stream = 1; isTaken; ) {
      const batch: Promise<void>[] = [];
      for (let i = 0; i < 100; i++, stream += 2) batch.push(peer.headers(stream, fields, END_STREAM));
      const taken = Promise.all(batch).then(() => true);
      isTaken = await Promise.race([taken, new Promise<false>((resolve) => setTimeout(resolve, 500, false))]);
      assert.ok(served * 8_000 < NETWORK_BYTES, `${served} requests were answered to nobody`);
    }
    assert.equal(proxy.sessions.size, 1);
    peer.destroy();
    await proxy.idle();
    assert.deepEqual(proxy.faults, []);
  }
});
