import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startBareProxy } from '../support/bare-proxy.ts';
import { request, startChain } from '../support/chain.ts';
import { type Script, startOrigin } from '../support/origin.ts';

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'];
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n';

/** Answers 101 and then echoes. */
const echo: Script = (_asked, peer) => {
  void peer.send(SWITCH);
  peer.socket.on('data', (chunk) => peer.socket.write(chunk));
  peer.socket.on('end', () => peer.socket.end());
};

test('after 101 every byte passes both ways, and the fields of the handshake with it', async (t) => {
  const { connect, origin } = await startChain(t, { script: echo });
  const client = await connect();
  await client.send(request('/socket', UPGRADE));
  const answer = await client.message();
  assert.equal(answer.status, 101);
  assert.deepEqual(answer.fields('upgrade'), ['websocket']);
  assert.deepEqual(answer.fields('connection'), ['Upgrade']);
  assert.deepEqual(answer.fields('sec-websocket-accept'), ['y']);
  const asked = origin.requests[0]!;
  assert.deepEqual(asked.fields('upgrade'), ['websocket']);
  assert.deepEqual(asked.fields('connection'), ['Upgrade']);
  assert.deepEqual(asked.fields('sec-websocket-key'), ['x']);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x00\x01\xff', '0\r\n\r\n']) {
    await client.send(bytes);
    await client.until(bytes);
  }
});

test('bytes right behind the 101 reach the client right behind it', async (t) => {
  const { connect } = await startChain(t, { script: (_asked, peer) => void peer.send(`${SWITCH}first words`) });
  const client = await connect();
  await client.send(request('/', UPGRADE));
  await client.until('\r\n\r\nfirst words');
});

test('a refused upgrade leaves both connections in use', async (t) => {
  const { connect, origin } = await startChain(t);
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    await client.send(request('/', UPGRADE));
    assert.equal((await client.message()).body, 'hello');
  }
  assert.equal(origin.peers.length, 1);
});

test('a side of a tunnel that closes can still be answered, to the last byte', async (t) => {
  const big = 'y'.repeat(8 * 1024 * 1024);
  const { connect } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.send(SWITCH);
      await peer.end();
      assert.equal(peer.ended, 'fin');
      await peer.send(big, 'the end');
      peer.finish();
    },
  });
  const client = await connect();
  await client.send(request('/', UPGRADE));
  await client.message();
  client.finish();
  client.socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  client.socket.resume();
  await client.end();
  assert.equal(client.ended, 'fin');
  assert.equal(client.rest.length, big.length + 'the end'.length);
});

test('a tunnel whose upstream closes first still carries what the client has to say', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.send(`${SWITCH}bye`);
      peer.finish();
    },
  });
  const client = await connect();
  await client.send(request('/', UPGRADE));
  await client.end();
  assert.match(client.text, /bye$/);
  await client.send('last words');
  client.finish();
  const peer = await origin.connection(0);
  await peer.end();
  assert.match(peer.text, /last words$/);
  assert.equal(peer.ended, 'fin');
});

test('a client that has closed its side before the 101 has closed its side of the tunnel', async (t) => {
  const { connect, origin } = await startChain(t, { script: () => {} });
  const client = await connect();
  await client.send(`${request('/', UPGRADE)}all I have to say`);
  client.finish();
  const peer = await origin.connection(0);
  await origin.request(0);
  await peer.send(`${SWITCH}fine`);
  await peer.end();
  assert.match(peer.text, /all I have to say$/);
  peer.finish();
  await client.end();
  assert.match(client.text, /fine$/);
});

for (const [who, how] of [
  ['client', 'reset'],
  ['client', 'destroy'],
  ['upstream', 'reset'],
] as const) {
  test(`a tunnel ends on both sides when its ${who} is gone (${how})`, async (t) => {
    const { connect, origin } = await startChain(t, { script: echo });
    const client = await connect();
    await client.send(request('/', UPGRADE));
    await client.message();
    const peer = await origin.connection(0);
    if (who === 'client') client[how]();
    else peer[how]();
    await (who === 'client' ? peer : client).end();
  });
}

for (const how of ['closes', 'breaks'] as const) {
  test(`what the upstream said last in a tunnel is delivered though it ${how} the connection meanwhile`, async (t) => {
    const sockets: Socket[] = [];
    const remember = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', remember);
    t.after(() => unsubscribe('net.server.socket', remember));
    const origin = await startOrigin(t, (_asked, peer) => peer.send(SWITCH));
    const proxy = await startBareProxy(t, origin.port);
    const client = await proxy.connect();
    await client.send(request('/', UPGRADE));
    await client.message();
    // From here on the client's network takes nothing.
    const downstream = sockets[0]!;
    const { promise: free, resolve: release } = Promise.withResolvers<void>();
    const write = downstream._write.bind(downstream);
    downstream._write = (chunk, encoding, done) => void free.then(() => write(chunk, encoding, done));
    const peer = await origin.connection(0);
    if (how === 'closes') {
      client.finish();
      await peer.end();
    }
    await peer.send('last words');
    peer.finish();
    while (downstream.writable) await new Promise((resolve) => setTimeout(resolve, 1));
    if (how === 'breaks') {
      peer.reset();
      await client.send('anyone there?'); // a connection that has ended shows its break only to a writer
    }
    while (proxy.target.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    release();
    await client.end();
    assert.equal(client.rest, 'last words');
    assert.equal(client.ended, 'fin');
    await proxy.idle();
    assert.equal(proxy.target.inflight, 0);
  });
}
