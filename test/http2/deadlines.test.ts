import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Handler } from '../../src/http/exchange.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { sendPlain } from '../../src/http/plain-response.ts';
import { type BareProxy, startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { openH2 } from '../support/h2-client.ts';
import {
  continuation,
  END_STREAM,
  GOAWAY,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  settings,
  windowUpdate,
} from '../support/h2-frames.ts';
import { block, requestFields } from '../support/h2-headers.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { ok, startOrigin } from '../support/origin.ts';

const NOTHING = { onData: () => {}, onEnd: () => {}, onDrain: () => {}, onAbort: () => {} };
const answerAtOnce: Handler = (exchange) => sendPlain(exchange, 200, 'text/plain', 'hello');

const start = (t: TestContext, handler: Handler = answerAtOnce): Promise<BareProxy> =>
  startBareProxy(t, 1, handler, 'h2c');

/** Waits until the server knows of `count` connections. */
async function connections(proxy: BareProxy, count: number): Promise<void> {
  for (let looks = 0; proxy.sessions.size !== count; looks++) {
    assert.ok(looks < 1_000, `${proxy.sessions.size} connections instead of ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** All of it has ended, and nothing is left. */
async function isOver(proxy: BareProxy, peer: H2Peer): Promise<void> {
  await peer.end();
  peer.destroy();
  await proxy.idle();
  assert.equal(proxy.sessions.size, 0);
  assert.deepEqual(proxy.faults, []);
}

test('a connection that does not begin is ended after timeouts.head', async (t) => {
  for (const begun of ['', PREFACE.subarray(0, 10), PREFACE]) {
    const proxy = await start(t);
    const peer = await openH2(t, proxy.port, { carrier: 'plain', preface: false, settings: null });
    await connections(proxy, 1);
    peer.send(begun);
    await peer.when(() => peer.frames.length > 0);
    proxy.passTime(TIMEOUTS.headMs - 1_000);
    assert.equal(peer.goaway, null);
    proxy.passTime(TIMEOUTS.headMs);
    assert.equal((await peer.gone()).code, 'PROTOCOL_ERROR');
    await isOver(proxy, peer);
  }
});

test('SETTINGS that are not acknowledged end the connection', async (t) => {
  const proxy = await start(t);
  const peer = await openH2(t, proxy.port, { carrier: 'plain', habits: { acknowledge: false } });
  proxy.passTime(TIMEOUTS.headMs + 9_000);
  await peer.roundTrip();
  proxy.passTime(TIMEOUTS.headMs + 10_000);
  assert.equal((await peer.gone()).code, 'SETTINGS_TIMEOUT');
  await isOver(proxy, peer);
});

test('a frame, and a header block in many, have one deadline however they come', async (t) => {
  const whole = block(requestFields());
  const parts: Buffer[][] = [
    [settings([INITIAL_WINDOW_SIZE, 70_000]).subarray(0, 10)],
    [Buffer.concat([Buffer.from([0, 0, 1, HEADERS, END_STREAM, 0, 0, 0, 1]), whole.subarray(0, 1)])],
  ];
  for (const fragments of parts) {
    const proxy = await start(t);
    const peer = await openH2(t, proxy.port, { carrier: 'plain' });
    peer.send(...fragments);
    // What comes meanwhile gives it no new time.
    for (let i = 1; i < 4; i++) {
      peer.socket.write(fragments === parts[0] ? Buffer.alloc(1) : continuation(1, whole.subarray(i, i + 1), 0));
      for (let looks = 0; looks < 4; looks++) await new Promise((resolve) => setImmediate(resolve));
      proxy.passTime(TIMEOUTS.headMs - 1_000);
    }
    assert.equal(peer.goaway, null);
    proxy.passTime(TIMEOUTS.headMs);
    assert.equal((await peer.gone()).code, 'PROTOCOL_ERROR');
    await isOver(proxy, peer);
  }
});

test('an idle connection is ended in two steps, also behind a request that was answered at once', async (t) => {
  for (const requests of [0, 1]) {
    for (const pong of [true, false]) {
      const proxy = await start(t);
      const peer = await openH2(t, proxy.port, { carrier: 'plain', habits: { pong } });
      if (requests > 0) {
        peer.headers(1, requestFields(), END_STREAM);
        await peer.response(1);
      }
      proxy.passTime(TIMEOUTS.keepAliveMs - 1_000);
      await peer.roundTrip();
      assert.equal(peer.goaway, null);
      proxy.passTime(TIMEOUTS.keepAliveMs);
      await peer.gone();
      if (!pong) {
        assert.equal(peer.ended, 'no', 'it waits for the answer to its PING');
        proxy.passTime(1_000);
      }
      await peer.end();
      const goaways = peer.frames.filter(({ type }) => type === GOAWAY).map(({ payload }) => payload.readUInt32BE(0));
      assert.deepEqual(goaways, [2 ** 31 - 1, requests]);
      assert.equal(peer.goaway!.code, 'NO_ERROR');
      await isOver(proxy, peer);
    }
  }
});

test('a client that takes nothing of a response loses its stream, and no other', async (t) => {
  const aborted: string[] = [];
  const proxy = await start(t, (exchange) => {
    exchange.observe({ ...NOTHING, onAbort: ({ code }) => void aborted.push(code) });
    exchange.respond({ status: 200, reason: '', headers: new HeaderList() }, null);
    while (exchange.write(Buffer.alloc(1_000)));
  });
  const peer = await openH2(t, proxy.port, { carrier: 'plain', settings: [[INITIAL_WINDOW_SIZE, 0]] });
  peer.headers(1, requestFields(), END_STREAM);
  peer.headers(3, requestFields(), END_STREAM);
  peer.send(windowUpdate(3, 100_000), windowUpdate(0, 100_000));
  await peer.when(() => peer.stream(3).received === 100_000);
  proxy.passTime(TIMEOUTS.bodyIdleMs * 5 - 1_000);
  await peer.roundTrip();
  assert.deepEqual(aborted, []);
  proxy.passTime(TIMEOUTS.bodyIdleMs * 5);
  assert.equal(await peer.resetOf(1), 'CANCEL');
  assert.equal(peer.rst(3), null);
  assert.deepEqual(aborted, ['client_gone']);
  peer.destroy();
  await isOver(proxy, peer);
});

test('a client that reads nothing at all loses its connection', async (t) => {
  let written = 0;
  const proxy = await start(t, (exchange) => {
    const write = () => {
      for (let more = true; more; written += 16_384) more = exchange.write(Buffer.alloc(16_384));
    };
    exchange.observe({ ...NOTHING, onDrain: write });
    exchange.respond({ status: 200, reason: '', headers: new HeaderList() }, null);
    write();
  });
  const peer = await openH2(t, proxy.port, { carrier: 'plain', settings: [[INITIAL_WINDOW_SIZE, 2 ** 31 - 1]] });
  peer.socket.pause();
  peer.send(windowUpdate(0, 2 ** 30));
  peer.headers(1, requestFields(), END_STREAM);
  // Until the network is full.
  for (let before = -1; before !== written || written === 0; ) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.ok(written < 24 * 1024 * 1024, `${written}`);
  proxy.passTime(TIMEOUTS.bodyIdleMs * 5 - 1_000);
  assert.equal(proxy.sessions.size, 1);
  proxy.passTime(TIMEOUTS.bodyIdleMs * 5);
  await connections(proxy, 0);
  assert.equal(proxy.sweep.size, 0);
});

test('an upload that stands still, or comes by the drop, is answered 408 and stopped', async (t) => {
  const aborted: string[] = [];
  const proxy = await start(t, (exchange) => {
    exchange.observe({ ...NOTHING, onAbort: ({ code }) => void aborted.push(code) });
    exchange.receive();
  });
  const peer = await openH2(t, proxy.port, { carrier: 'plain' });
  peer.headers(1, requestFields('/', 'POST'));
  for (let drops = 0; drops < 3; drops++) {
    peer.data(1, 'x'.repeat(100));
    await peer.roundTrip();
    proxy.passTime(TIMEOUTS.bodyIdleMs - 1_000);
  }
  assert.equal(peer.stream(1).fields, null);
  for (let i = 0; i < 4; i++) peer.data(1, 'x'.repeat(12_000)); // in all what is asked for in this time
  await peer.roundTrip();
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  assert.equal((await peer.response(1)).status, 408);
  assert.deepEqual(aborted, ['request_timeout']);
  proxy.passTime(2_000);
  assert.equal(await peer.resetOf(1), 'NO_ERROR');
  peer.headers(3, requestFields(), END_STREAM);
  await peer.roundTrip();
  peer.destroy();
  await isOver(proxy, peer);
});

test('a tunnel that is silent both ways is cut, with its upstream', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) =>
    peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
  );
  const proxy = await startBareProxy(t, origin.port, undefined, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain' });
  const fields = requestFields('/', 'CONNECT', []);
  peer.headers(1, [...fields, [':protocol', 'websocket']]);
  assert.equal((await peer.head(1)).status, 200);
  proxy.passTime(TIMEOUTS.tunnelIdleMs - 1_000);
  peer.data(1, 'still there');
  await origin.peers[0]!.until('still there');
  proxy.passTime(TIMEOUTS.tunnelIdleMs);
  assert.equal(await peer.resetOf(1), 'CANCEL');
  assert.notEqual(await origin.peers[0]!.end(), null);
  peer.destroy();
  await isOver(proxy, peer);
});

test('an answer that an idle origin gives costs its client no time', async (t) => {
  let answer = () => {};
  const origin = await startOrigin(t, (_asked, peer) => {
    answer = () => void peer.send(ok());
  });
  const proxy = await startBareProxy(t, origin.port, undefined, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain' });
  peer.headers(1, requestFields(), END_STREAM);
  await origin.request(0);
  proxy.passTime(TIMEOUTS.keepAliveMs + 100_000); // less than timeouts.responseHead, more than any of its client's
  answer();
  assert.equal((await peer.response(1)).body, 'hello');
  assert.equal(peer.goaway, null);
  peer.destroy();
  for (const one of origin.peers) one.destroy();
  await isOver(proxy, peer);
});
