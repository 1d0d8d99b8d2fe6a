import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Exchange } from '../../src/http/exchange.ts';
import { sendPlain } from '../../src/http/plain-response.ts';
import { type BareProxy, startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { openH2 } from '../support/h2-client.ts';
import {
  ACK,
  END_STREAM,
  GOAWAY,
  goAway,
  INITIAL_WINDOW_SIZE,
  PING,
  PREFACE,
  ping,
  settings,
  windowUpdate,
} from '../support/h2-frames.ts';
import { headers, requestFields } from '../support/h2-headers.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { ServerWire } from '../support/h2-wire.ts';

/** Does not even acknowledge SETTINGS before it has begun. */
const QUIET = { acknowledge: false };

const answer = (exchange: Exchange): void => sendPlain(exchange, 200, 'text/plain', 'hello');

/** Answers `/now` at once; the others when they are let. */
async function start(t: TestContext): Promise<{ proxy: BareProxy; waiting: Exchange[]; peer: H2Peer }> {
  const waiting: Exchange[] = [];
  const handler = (exchange: Exchange): void => {
    if (exchange.request.path === '/now') answer(exchange);
    else waiting.push(exchange);
  };
  const proxy = await startBareProxy(t, 1, handler, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain', habits: { pong: false } });
  return { proxy, waiting, peer };
}

function lastStreams(peer: H2Peer): number[] {
  return peer.frames.filter(({ type }) => type === GOAWAY).map(({ payload }) => payload.readUInt32BE(0));
}

/** Answers the PING that came with the first GOAWAY. */
async function pong(peer: H2Peer): Promise<void> {
  const { payload } = await peer.until(({ type, flags }) => type === PING && flags === 0);
  peer.send(ping(payload, ACK));
}

async function isOver(proxy: BareProxy, peer: H2Peer): Promise<void> {
  await peer.end();
  assert.equal(peer.ended, 'fin');
  assert.equal(peer.goaway?.code, 'NO_ERROR');
  peer.destroy();
  await proxy.idle();
  assert.deepEqual(proxy.faults, []);
}

test('what is under way when a connection is drained is finished, and what its client opens before it knows', async (t) => {
  const { proxy, waiting, peer } = await start(t);
  peer.headers(1, requestFields('/later'), END_STREAM);
  await peer.roundTrip();
  for (const session of proxy.sessions) session.drain();
  for (const session of proxy.sessions) session.drain(); // once is enough
  await peer.gone();
  assert.deepEqual(lastStreams(peer), [2 ** 31 - 1]);
  peer.headers(3, requestFields('/later'), END_STREAM);
  await peer.roundTrip();
  await pong(peer);
  await peer.when(() => lastStreams(peer).length === 2);
  peer.headers(5, requestFields('/now'), END_STREAM); // too late, and it can know
  for (const exchange of waiting) answer(exchange);
  assert.equal((await peer.response(1)).body, 'hello');
  assert.equal((await peer.response(3)).body, 'hello');
  await isOver(proxy, peer);
  assert.deepEqual(lastStreams(peer), [2 ** 31 - 1, 3]);
  assert.equal(peer.stream(5).fields, null);
});

test('content of a request that came too late for a drained connection costs the others nothing', async (t) => {
  const { proxy, waiting, peer } = await start(t);
  peer.headers(1, requestFields('/later'), END_STREAM);
  await peer.roundTrip();
  for (const session of proxy.sessions) session.drain();
  await pong(peer);
  await peer.when(() => lastStreams(peer).length === 2);
  peer.headers(3, requestFields('/later', 'POST'));
  for (let left = 4; left > 0; left--) peer.data(3, Buffer.alloc(16_000), left === 1 ? END_STREAM : 0);
  await peer.roundTrip();
  for (const exchange of waiting) answer(exchange);
  assert.equal((await peer.response(1)).body, 'hello');
  await isOver(proxy, peer);
});

test('a stream that ends in between does not end a drained connection before its client knows', async (t) => {
  const { proxy, waiting, peer } = await start(t);
  peer.headers(1, requestFields('/later'), END_STREAM);
  await peer.roundTrip();
  for (const session of proxy.sessions) session.drain();
  await peer.gone();
  answer(waiting[0]!);
  await peer.response(1);
  peer.headers(3, requestFields('/now'), END_STREAM); // on its way when GOAWAY came
  assert.equal((await peer.response(3)).body, 'hello');
  await pong(peer);
  await isOver(proxy, peer);
  assert.deepEqual(lastStreams(peer), [2 ** 31 - 1, 3]);
});

test('a connection without streams is drained within a second, whether its client answers or not', async (t) => {
  const { proxy, peer } = await start(t);
  for (const session of proxy.sessions) session.drain();
  await peer.gone();
  assert.equal(peer.ended, 'no');
  proxy.passTime(1_000);
  await isOver(proxy, peer);
  assert.deepEqual(lastStreams(peer), [2 ** 31 - 1, 0]);
});

test('a connection that has not begun may ask within a second', async (t) => {
  const proxy = await startBareProxy(t, 1, answer, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain', preface: false, settings: null, habits: QUIET });
  await peer.when(() => peer.frames.length > 0);
  for (const session of proxy.sessions) session.drain();
  peer.send(PREFACE);
  peer.settings();
  peer.headers(1, requestFields('/now'), END_STREAM);
  assert.equal((await peer.response(1)).body, 'hello');
  proxy.passTime(1_000);
  await isOver(proxy, peer);
  assert.deepEqual(lastStreams(peer), [1]);
});

test('a connection that does not begin within a second of being drained is closed', async (t) => {
  const proxy = await startBareProxy(t, 1, answer, 'h2c');
  const peer = await openH2(t, proxy.port, { carrier: 'plain', preface: false, settings: null, habits: QUIET });
  await peer.when(() => peer.frames.length > 0);
  for (const session of proxy.sessions) session.drain();
  proxy.passTime(1_000);
  await isOver(proxy, peer);
  assert.deepEqual(lastStreams(peer), [0]);
});

test('a client that says GOAWAY gets the answers to what it has asked, and then the end', async (t) => {
  const { proxy, waiting, peer } = await start(t);
  peer.headers(1, requestFields('/later'), END_STREAM);
  peer.send(goAway(0));
  await peer.roundTrip();
  assert.equal(peer.ended, 'no');
  for (const session of proxy.sessions) session.drain();
  answer(waiting[0]!);
  assert.equal((await peer.response(1)).body, 'hello');
  await isOver(proxy, peer);
});

test('a client with nothing under way that says GOAWAY gets the end', async (t) => {
  const { proxy, peer } = await start(t);
  peer.send(goAway(0));
  await isOver(proxy, peer);
});

test('the end of a connection waits for a client that reads slowly', () => {
  const wire = new ServerWire();
  wire.feed(Buffer.concat([PREFACE, settings([INITIAL_WINDOW_SIZE, 200_000]), windowUpdate(0, 200_000)]));
  wire.takes = false;
  wire.feed(headers(1, requestFields('/large'), END_STREAM));
  wire.feed(goAway(0));
  assert.ok(wire.over);
  wire.passTime(TIMEOUTS.bodyIdleMs); // far longer than it lingers for the last of its client's bytes
  assert.equal(wire.closed, 0);
  wire.takes = true;
  wire.settle();
  assert.equal(wire.inbox.stream(1).received, 100_000);
  assert.ok(wire.inbox.stream(1).ended);
  wire.passTime(2_000);
  assert.equal(wire.closed, 1);
});

test('a client that closes its side gets what has been answered', () => {
  const wire = new ServerWire();
  wire.feed(Buffer.concat([PREFACE, settings()]));
  wire.feedAndFinish(headers(1, requestFields('/now'), END_STREAM));
  assert.equal(wire.inbox.stream(1).body, 'hello');
  assert.ok(wire.inbox.stream(1).ended && wire.over);
  wire.cut();
});
