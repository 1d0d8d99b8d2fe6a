// Peers that take their time: every phase ends, and none is prolonged for ever by a byte now and then. More of these, for
// phases that simply fall silent, are in test/server/deadlines.test.ts. Time is played.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { MIN_UPLOAD_BYTES_PER_SECOND, SLOW_READER_FACTOR } from '../../src/http/grace.ts';
import { startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { startSilentListener } from '../support/silent-listener.ts';

const SECOND = 1_000;
const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = request('/', ['Transfer-Encoding: chunked'], 'POST');
const HUGE = Buffer.alloc(32 * 1024 * 1024, 'x');

/** Everything on its way has arrived: the event loop has turned often enough. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('an upstream that cannot be connected to, nor refuses, is given up with 504', async (t) => {
  const proxy = await startBareProxy(t, await startSilentListener(t));
  const client = await proxy.connect();
  await client.send(request());
  while (proxy.target.connections === 0) await settle();
  await settle();
  proxy.passTime(TIMEOUTS.connectMs - SECOND);
  await settle();
  assert.equal(client.text, '');
  proxy.passTime(TIMEOUTS.connectMs);
  assert.equal((await client.message()).status, 504);
  while (proxy.target.connections > 0) await settle();
  assert.equal(proxy.target.inflight, 0);
});

test('where one target cannot be connected to, the next one answers', async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startBareProxy(t, [await startSilentListener(t), origin.port]);
  const client = await proxy.connect();
  await client.send(request('/', ['Content-Length: 4'], 'POST'), 'body');
  while (proxy.target.connections === 0) await settle();
  await settle();
  proxy.passTime(TIMEOUTS.connectMs);
  assert.equal((await client.message()).body, 'hello');
  assert.match(origin.peers[0]!.text, /\r\n\r\nbody$/);
});

test('a TLS handshake has one deadline, however it dribbles', async (t) => {
  const proxy = await startBareProxy(t, 1, undefined, 'tls');
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
  t.after(() => socket.destroy());
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const ended = once(socket, 'close');
  for (const byte of Buffer.from('16030100c8010000c40303', 'hex')) {
    socket.write(Buffer.of(byte));
    proxy.passTime(TIMEOUTS.handshakeMs - SECOND);
    await settle();
  }
  assert.equal(socket.destroyed, false);
  assert.equal(proxy.sweep.size, 1);
  proxy.passTime(TIMEOUTS.handshakeMs);
  await ended;
  await proxy.idle();
});

test('content that dribbles below the least rate is 408, content above it has all the time it needs', async (t) => {
  const origin = await startOrigin(t, () => null);
  const proxy = await startBareProxy(t, origin.port);
  const least = (MIN_UPLOAD_BYTES_PER_SECOND * TIMEOUTS.bodyIdleMs) / SECOND;
  const client = await proxy.connect();
  await client.send(CHUNKED);
  const peer = await origin.connection(0);
  await peer.until('\r\n\r\n');
  const [connection] = proxy.connections;
  const piece = `${least.toString(16)}\r\n${'x'.repeat(least)}\r\n`;
  for (let i = 1; i <= 3; i++) {
    connection!.deadlineAt = Number.MAX_VALUE; // is set anew
    await client.send(piece);
    await peer.when(() => peer.text.length > i * least, 'the piece');
    assert.ok(connection!.deadlineAt < Number.MAX_VALUE, 'enough of it gives new time');
  }
  const { deadlineAt } = connection!;
  for (let i = 0; i < 10; i++) await client.send('1\r\nx\r\n');
  await peer.until(/(1\r\nx\r\n){10}$/);
  assert.equal(connection!.deadlineAt, deadlineAt, 'a few bytes do not');
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  assert.equal((await client.message()).status, 408);
  await peer.end();
  await proxy.idle();
});

test('a client that talks with its upstream may be as terse as it likes', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`));
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(CHUNKED);
  await client.until('\r\n\r\n');
  const peer = await origin.connection(0);
  const [connection] = proxy.connections;
  for (let i = 1; i <= 5; i++) {
    connection!.deadlineAt = Number.MAX_VALUE; // is set anew
    await client.send('1\r\nx\r\n');
    await peer.when(() => peer.text.endsWith('1\r\nx\r\n'.repeat(i)), 'the word');
    assert.ok(connection!.deadlineAt < Number.MAX_VALUE);
  }
});

test('what is left of an upload after its answer must come at the least rate too', async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request('/', ['Content-Length: 100000'], 'POST'));
  await client.until('hello');
  await client.send('x');
  await settle();
  const [connection] = proxy.connections;
  const { deadlineAt } = connection!;
  for (let i = 0; i < 10; i++) await client.send('x');
  await settle();
  assert.equal(connection!.deadlineAt, deadlineAt);
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  await client.end();
  assert.equal(client.rest.split('HTTP/1.1 ').length, 2, 'no second answer');
});

for (const [what, asked, more] of [
  ['the next request', request(), 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['content', CHUNKED, '1\r\nx\r\n'.repeat(10)],
] as const) {
  test(`a client that takes no more of its response gains no time by sending ${what} byte by byte`, async (t) => {
    const origin = await startOrigin(t, (_asked, peer) => {
      peer.socket.write(`${HEAD}Content-Length: ${HUGE.length}\r\n\r\n`);
      peer.socket.write(HUGE);
    });
    const proxy = await startBareProxy(t, origin.port);
    const client = await proxy.connect();
    client.socket.pause();
    await client.send(asked);
    await origin.request(0);
    const [connection] = proxy.connections;
    while (!connection!.output.blocked) await settle();
    await settle();
    const { deadlineAt } = connection!;
    for (const byte of more) await client.send(byte);
    await settle();
    assert.equal(connection!.deadlineAt, deadlineAt);
    proxy.passTime(TIMEOUTS.bodyIdleMs * SLOW_READER_FACTOR);
    await proxy.idle();
    assert.equal(proxy.target.inflight, 0);
  });
}

test('an upstream that takes no more of a request is given up with 504', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.socket.pause());
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request('/', [`Content-Length: ${2 * HUGE.length}`], 'POST'));
  client.socket.write(HUGE);
  await origin.request(0);
  const waitsForUpstream = (): boolean => [...proxy.connections][0]!.deadlineAt === Number.POSITIVE_INFINITY;
  await settle();
  while (!waitsForUpstream()) await settle();
  proxy.passTime(TIMEOUTS.bodyIdleMs - SECOND);
  await settle();
  assert.equal(client.text, '');
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  assert.equal((await client.message()).status, 504);
  assert.equal(proxy.target.inflight, 0);
});

test('an upstream that says nothing is 504, and the next request gets its own answer', async (t) => {
  const origin = await startOrigin(t, (asked, peer) =>
    asked.startLine.includes('/silent') ? null : peer.send(ok('right')),
  );
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request('/silent'));
  await origin.request(0);
  proxy.passTime(TIMEOUTS.responseHeadMs);
  const answer = await client.message();
  assert.equal(answer.status, 504);
  assert.match(answer.body, /did not answer in time/);
  await client.send(request('/next'));
  assert.equal((await client.message()).body, 'right');
  await origin.peers[0]!.end();
  assert.equal(origin.peers.length, 2);
});

test('the head of a response has one deadline, however it dribbles and whatever is said ahead of it', async (t) => {
  const origin = await startOrigin(t, () => null);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  await origin.request(0);
  const peer = origin.peers[0]!;
  for (const piece of [`HTTP/1.1 103 Early Hints\r\n\r\n${HEAD}`, 'A: ', 'b', 'c', '\r\n']) {
    await peer.send(piece);
    await settle();
    proxy.passTime(TIMEOUTS.responseHeadMs - SECOND);
  }
  await settle();
  assert.equal(proxy.target.connections, 1);
  proxy.passTime(TIMEOUTS.responseHeadMs);
  while ((await client.message()).status < 200);
  assert.match(client.text, /HTTP\/1\.1 504 /);
  await peer.end();
});

test('each piece of response content gives its upstream new time, silence ends the response', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(`${HEAD}Content-Length: 10\r\n\r\n`));
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  await client.until('\r\n\r\n');
  const peer = origin.peers[0]!;
  for (let i = 1; i <= 3; i++) {
    await peer.send('x');
    await client.until('x'.repeat(i));
    proxy.passTime(TIMEOUTS.bodyIdleMs - SECOND);
  }
  await settle();
  assert.equal(client.ended, 'no');
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  await client.end();
  assert.equal(client.ended, 'reset', 'the client can tell that it is not whole');
  await peer.end();
  await proxy.idle();
});

test('waiting for a slow client is no offence of the upstream', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => {
    peer.socket.write(`${HEAD}Content-Length: ${HUGE.length}\r\n\r\n`);
    peer.socket.write(HUGE);
  });
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  client.socket.pause();
  await client.send(request());
  await origin.request(0);
  while (![...proxy.connections][0]!.output.blocked) await settle();
  await settle();
  proxy.passTime(TIMEOUTS.bodyIdleMs * SLOW_READER_FACTOR - SECOND);
  client.socket.resume();
  const { length } = await received(client, HUGE.length);
  assert.equal(length, HUGE.length);
});

test('a kept upstream connection that falls idle is closed, and one that is idle too long is not given out', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(ok()));
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  await client.message();
  assert.equal(proxy.target.connections, 1);
  proxy.passTime(250 * SECOND);
  await settle();
  assert.equal(proxy.target.connections, 1);
  for (const connection of proxy.connections) connection.deadlineAt = Number.POSITIVE_INFINITY;
  proxy.passTime(700 * SECOND);
  await origin.peers[0]!.end();
  await client.send(request());
  assert.equal((await client.message()).body, 'hello');
  assert.equal(origin.peers.length, 2);
});

/** The content of the response once it is whole. */
async function received(client: Peer, length: number): Promise<{ length: number }> {
  await client.when(() => client.text.length >= length, 'the content');
  return { length: client.text.length - client.text.indexOf('\r\n\r\n') - 4 };
}
