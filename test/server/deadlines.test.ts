import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { test } from 'node:test';
import { respondHandler } from '../../src/handlers/respond.ts';
import { SLOW_READER_FACTOR } from '../../src/http/grace.ts';
import { startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { request, startChain } from '../support/chain.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const SECOND = 1_000;
/** Longer than a closing connection reads on, shorter than any deadline of these tests. */
const LINGER = 3 * SECOND;
const UPGRADE = request('/', ['Connection: Upgrade', 'Upgrade: x']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

/** Everything on its way has arrived: the event loop has turned often enough. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Sends, and resolves once the proxy has read it. */
async function read(client: Peer, text: string): Promise<void> {
  await client.send(text);
  await settle();
}

test('a client that connects and says nothing is let go without an answer', async (t) => {
  const proxy = await startBareProxy(t, 1);
  const client = await proxy.connect();
  await settle();
  proxy.passTime(TIMEOUTS.headMs - SECOND);
  assert.equal(client.ended, 'no');
  proxy.passTime(TIMEOUTS.headMs);
  assert.equal(await client.end(), '');
  assert.equal(client.ended, 'fin');
  await proxy.idle();
});

test('a head that is not whole in time is 408, whether it is the first on its connection or a later one', async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startBareProxy(t, origin.port);
  for (const isFirst of [true, false]) {
    const client = await proxy.connect();
    if (!isFirst) {
      await client.send(request());
      await client.message();
    }
    await read(client, 'GET / HTTP/1.1\r\nHo');
    proxy.passTime(TIMEOUTS.headMs - SECOND);
    assert.equal(client.ended, 'no');
    proxy.passTime(TIMEOUTS.headMs);
    assert.equal((await client.message()).status, 408);
    await client.end();
    client.destroy();
  }
  assert.equal(origin.requests.length, 1);
});

test('bytes that dribble do not move the deadline of a head', async (t) => {
  const proxy = await startBareProxy(t, 1);
  const client = await proxy.connect();
  await read(client, 'G');
  const [connection] = proxy.connections;
  const { deadlineAt } = connection!;
  for (const byte of 'ET / HTTP/1.1\r\nHost: a\r\n') await client.send(byte);
  await read(client, 'A');
  assert.equal(connection!.deadlineAt, deadlineAt);
});

test('a request that begins just before the idle deadline has the whole time of a head', async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  await client.message();
  const [connection] = proxy.connections;
  connection!.deadlineAt -= TIMEOUTS.keepAliveMs - SECOND;
  await read(client, 'GET / HTTP/1.1\r\nHo');
  proxy.passTime(TIMEOUTS.headMs - SECOND);
  await client.send('st: app.localhost\r\n\r\n');
  assert.equal((await client.message()).body, 'hello');
});

test('a kept connection without a next request is closed without an answer', async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  await client.message();
  proxy.passTime(TIMEOUTS.keepAliveMs - SECOND);
  assert.equal(client.ended, 'no');
  proxy.passTime(TIMEOUTS.keepAliveMs);
  await client.end();
  assert.equal(client.rest, '');
  assert.equal(client.ended, 'fin');
});

test('content that stalls is 408, and each piece of it gives new time', async (t) => {
  const origin = await startOrigin(t, () => null);
  const proxy = await startBareProxy(t, origin.port);
  for (const head of [
    request('/', ['Content-Length: 10'], 'POST'),
    request('/', ['Transfer-Encoding: chunked'], 'POST'),
  ]) {
    const client = await proxy.connect();
    await client.send(head);
    const peer = await origin.connection(origin.peers.length === 0 ? 0 : 1);
    await read(client, '1\r\nx\r\n');
    proxy.passTime(TIMEOUTS.bodyIdleMs - SECOND);
    assert.equal(client.ended, 'no');
    proxy.passTime(TIMEOUTS.bodyIdleMs);
    assert.equal((await client.message()).status, 408);
    await peer.end();
  }
  await proxy.idle();
  assert.equal(proxy.target.inflight, 0);
});

test('a client that stalls in its upload is to blame also when the upstream was slow to take it before', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.socket.pause());
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  const size = 16 * 1024 * 1024;
  await client.send(request('/', [`Content-Length: ${size + 1}`], 'POST'));
  const sent = client.send('x'.repeat(size));
  const peer = await origin.connection(0);
  await origin.request(0);
  await settle();
  peer.socket.resume();
  await sent;
  await peer.when(() => peer.received > size, 'all but the last byte');
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  assert.equal((await client.message()).status, 408);
});

test('a response that its client does not take is broken off in time', async (t) => {
  const body = Buffer.alloc(32 * 1024 * 1024, 'x');
  const origin = await startOrigin(t, (_asked, peer) => {
    peer.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    peer.socket.write(body);
  });
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  await client.until('\r\n\r\n');
  client.socket.pause();
  const [connection] = proxy.connections;
  while (!connection!.output.blocked) await new Promise((resolve) => setTimeout(resolve, 5));
  // The system says little about a slow reader: silence of the length that a sender may not have proves nothing.
  proxy.passTime(TIMEOUTS.bodyIdleMs);
  await settle();
  assert.equal(proxy.connections.size, 1);
  proxy.passTime(TIMEOUTS.bodyIdleMs * SLOW_READER_FACTOR);
  await proxy.idle();
  await origin.peers[0]!.end();
  assert.equal(proxy.target.inflight, 0);
});

test('a closing connection waits for a slow reader to take the tail, and not for ever', async (t) => {
  const body = 'x'.repeat(16 * 1024 * 1024);
  const proxy = await startBareProxy(t, 1, respondHandler(200, 'text/plain', body));
  const slow = await proxy.connect();
  slow.socket.pause();
  await slow.send(request('/', ['Connection: close']));
  await settle();
  proxy.passTime(LINGER);
  slow.socket.resume();
  assert.equal((await slow.message()).body.length, body.length);
  await slow.end();
  await proxy.idle();

  const stuck = await proxy.connect();
  stuck.socket.pause();
  await stuck.send(request('/', ['Connection: close']));
  await settle();
  proxy.passTime(TIMEOUTS.bodyIdleMs * SLOW_READER_FACTOR);
  await proxy.idle();
});

test('a tunnel ends after silence both ways, and any byte either way counts', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(SWITCH));
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(UPGRADE);
  await client.message();
  const peer = await origin.connection(0);
  const [connection] = proxy.connections;
  for (const speak of [() => client.send('ping'), () => peer.send('pong')]) {
    connection!.deadlineAt = 1; // is set anew
    await speak();
    await settle();
    assert.ok(connection!.deadlineAt > TIMEOUTS.tunnelIdleMs, String(speak));
  }
  proxy.passTime(TIMEOUTS.tunnelIdleMs - SECOND);
  assert.equal(client.ended, 'no');
  proxy.passTime(TIMEOUTS.tunnelIdleMs);
  await client.end();
  await peer.end();
  await proxy.idle();
  assert.equal(proxy.target.inflight, 0);
});

test('waiting for a slow upstream is no offence of the client', async (t) => {
  const origin = await startOrigin(t, () => null);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request());
  const peer = await origin.connection(0);
  await origin.request(0);
  proxy.passTime(TIMEOUTS.responseHeadMs - SECOND);
  await peer.send(ok());
  assert.equal((await client.message()).body, 'hello');
});

test('a TLS handshake that is silent or dribbles is broken off, and hinders nobody', async (t) => {
  const { httpsPort, exchange } = await startChain(t, { timeouts: { handshake: '300ms' } });
  const hello = Buffer.from('16030100c8010000c40303', 'hex');
  for (const bytes of [Buffer.alloc(0), hello]) {
    const socket = netConnect(httpsPort, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    let at = 0;
    const dribble = setInterval(() => at < bytes.length && socket.write(bytes.subarray(at, ++at)), 20);
    assert.match((await exchange(request('/', ['Connection: close']))).text, /hello$/);
    socket.resume();
    await closed;
    clearInterval(dribble);
  }
});

test('answers are not piled up for a client that pipelines requests and reads nothing', async (t) => {
  const body = 'x'.repeat(64 * 1024);
  let answered = 0;
  const answer = respondHandler(200, 'text/plain', body);
  const proxy = await startBareProxy(t, 1, (exchange) => {
    answered++;
    answer(exchange);
  });
  const client = await proxy.connect();
  client.socket.pause();
  // 20,000 answers would be 1.3 GB; what the two systems' socket buffers take is a few MiB.
  client.socket.write(request().repeat(20_000));
  const [connection] = proxy.connections;
  while (!connection!.output.blocked) await new Promise((resolve) => setTimeout(resolve, 5));
  await settle();
  assert.ok(answered < 1_000, `${answered} answers`);
  assert.equal(proxy.connections.size, 1);
  proxy.passTime(TIMEOUTS.bodyIdleMs * SLOW_READER_FACTOR);
  await proxy.idle();
});

test('a client that pipelines and reads late gets every answer', async (t) => {
  const body = 'x'.repeat(64 * 1024);
  const proxy = await startBareProxy(t, 1, respondHandler(200, 'text/plain', body));
  const client = await proxy.connect();
  client.socket.pause();
  client.socket.write(request().repeat(300));
  const [connection] = proxy.connections;
  while (!connection!.output.blocked) await new Promise((resolve) => setTimeout(resolve, 5));
  client.socket.resume();
  for (let i = 0; i < 300; i++) assert.equal((await client.message()).body.length, body.length);
});
