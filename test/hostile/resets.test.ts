// Item 36: every socket has an `error` listener from its first moment, whichever way it came to be; no reset, at any point of
// its life, becomes an uncaught exception or an unhandled rejection.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Chain, post, request, startChain } from '../support/chain.ts';
import { ok, type Script } from '../support/origin.ts';
import { connectPlain, type Peer } from '../support/peer.ts';
import { countUncaught } from '../support/uncaught.ts';
import { clientHello } from './client-hello.ts';

const UPGRADE = request('/tunnel', ['Connection: Upgrade', 'Upgrade: x']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const LISTEN = { http: ['127.0.0.1:0', { address: '127.0.0.1:0', proxyProtocol: true }], https: '127.0.0.1:0' };
const BIG = 'x'.repeat(8 * 1024 * 1024);

/** Sockets of the proxy that had no listener for errors once whoever made them was done. `own`: those of the test itself. */
function watchSockets(t: TestContext, own: ReadonlySet<number>): { readonly bare: readonly string[]; seen: number } {
  const found = { bare: [] as string[], seen: 0 };
  const look = (kind: string) => (message: unknown) => {
    const { socket } = message as { socket: Socket };
    process.nextTick(() => {
      if (own.has(socket.localPort ?? 0)) return;
      found.seen++;
      if (socket.listenerCount('error') === 0) found.bare.push(kind);
    });
  };
  const watchers = { 'net.server.socket': look('accepted'), 'net.client.socket': look('connecting') };
  for (const [name, watch] of Object.entries(watchers)) subscribe(name, watch);
  t.after(() => {
    for (const [name, watch] of Object.entries(watchers)) unsubscribe(name, watch);
  });
  return found;
}

const script: Script = async (asked, peer) => {
  const target = asked.startLine.split(' ')[1];
  if (target === '/silent') return;
  if (target === '/tunnel') await peer.send(SWITCH);
  else if (target === '/reset') peer.reset();
  else if (target === '/reset-in-head') await peer.send('HTTP/1.1 200 OK\r\nA').then(() => peer.reset());
  else if (target === '/reset-in-content')
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc').then(() => peer.reset());
  else if (target === '/reset-in-tunnel') await peer.send(SWITCH).then(() => peer.reset());
  else if (target === '/reset-behind') await peer.send(ok()).then(() => peer.reset());
  else if (target === '/big') await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`, BIG);
  else await peer.send(ok());
};

/** Where in its life a client's connection is when it is reset. */
const CLIENTS: Readonly<Record<string, (chain: Chain) => Promise<Peer>>> = {
  'on the plain port, before a byte': ({ httpPort }) => connectPlain(httpPort),
  'on the plain port, in its head': ({ httpPort }) => sending(connectPlain(httpPort), 'GET / HT'),
  'on the plain port, behind its answer': ({ httpPort }) => answered(connectPlain(httpPort), request()),
  'before its PROXY header': ({ server }) => connectPlain(server.addresses.http[1]!.port),
  'in its PROXY header': ({ server }) => sending(connectPlain(server.addresses.http[1]!.port), 'PROXY TCP4 '),
  'before its ClientHello': ({ httpsPort }) => connectPlain(httpsPort),
  'in its ClientHello': ({ httpsPort }) =>
    sending(connectPlain(httpsPort), clientHello({}).subarray(0, 50).toString('latin1')),
  'in its handshake': ({ httpsPort }) => answered(connectPlain(httpsPort), clientHello({}).toString('latin1'), '\x16'),
  'refused in its handshake': ({ httpsPort }) =>
    sending(connectPlain(httpsPort), clientHello({ names: ['evil.example'] }).toString('latin1')),
  'speaking HTTP to the TLS port': ({ httpsPort }) => sending(connectPlain(httpsPort), request()),
  'before its request': ({ connect }) => connect(),
  'in its head': ({ connect }) => sending(connect(), 'GET / HTTP/1.1\r\nHo'),
  refused: ({ connect }) => sending(connect(), 'nonsense\r\n\r\n'),
  'in its content': ({ connect }) => sending(connect(), post('/', 'hello').slice(0, -2)),
  'while it waits': ({ connect }) => sending(connect(), request('/silent')),
  'while it waits, with requests behind': ({ connect }) => sending(connect(), request('/silent') + request().repeat(9)),
  'in its download': ({ connect }) => answered(connect(), request('/big'), 'xxxx'),
  'in a tunnel': ({ connect }) => answered(connect(), UPGRADE, '101'),
  'behind its answer': ({ connect }) => answered(connect(), request()),
  'on a closing connection': ({ connect }) => answered(connect(), request('/', ['Connection: close'])),
};

async function sending(connecting: Promise<Peer>, text: string): Promise<Peer> {
  const client = await connecting;
  await client.send(text);
  return client;
}

async function answered(connecting: Promise<Peer>, text: string, sign = 'HTTP/1.1 '): Promise<Peer> {
  const client = await sending(connecting, text);
  await client.until(sign);
  return client;
}

test('every socket has an error listener once its maker is done, accepted or connecting, and a reset is no exception', async (t) => {
  const uncaught = countUncaught(t);
  const own = new Set<number>();
  const chain = await startChain(t, { script, config: { listen: LISTEN, trustedProxies: ['127.0.0.1'] } });
  own.add(chain.origin.port);
  const sockets = watchSockets(t, own);
  for (const [when, reach] of Object.entries(CLIENTS)) {
    for (let i = 0; i < 3; i++) {
      const client = await reach(chain);
      client.reset();
      await closed(client);
    }
    const next = await chain.connect();
    await next.send(request('/next'));
    assert.equal((await next.message()).body, 'hello', `after a reset ${when}`);
    next.destroy();
    assert.deepEqual(uncaught, [], `a client reset ${when}`);
  }
  assert.ok(sockets.seen > Object.keys(CLIENTS).length, `${sockets.seen} sockets were looked at`);
  assert.deepEqual(sockets.bare, []);
});

test('an upstream that resets, at any point of its connection, is no exception', async (t) => {
  const uncaught = countUncaught(t);
  const { connect: open, origin } = await startChain(t, { script });
  for (const target of ['/reset', '/reset-in-head', '/reset-in-content', '/reset-in-tunnel', '/reset-behind']) {
    for (const text of [request(target, ['Connection: Upgrade', 'Upgrade: x']), post(target, 'hello')]) {
      const client = await open();
      await client.send(text);
      await client.until('HTTP/1.1 ').catch(() => {}); // or it is broken off unanswered
      await origin.peers.at(-1)!.end();
      client.destroy();
    }
    const next = await open();
    await next.send(request('/next'));
    assert.equal((await next.message()).body, 'hello', `after ${target}`);
    assert.deepEqual(uncaught, [], target);
  }
  // Idle in the pool, then a whole origin that is gone.
  for (const peer of origin.peers) peer.reset();
  await origin.stop();
  const client = await open();
  await client.send(request());
  assert.equal((await client.message()).status, 502);
  assert.deepEqual(uncaught, []);
});

test('clients that vanish in great numbers in the middle of their handshakes are no exception', async (t) => {
  const uncaught = countUncaught(t);
  const { httpsPort, connect: open } = await startChain(t);
  const hello = clientHello({}).toString('latin1');
  for (let round = 0; round < 10; round++) {
    const clients = Array.from({ length: 20 }, async (_, i) => {
      const connecting = connectPlain(httpsPort);
      const client = await (i % 2 === 0 ? sending(connecting, hello) : answered(connecting, hello, '\x16'));
      client.reset();
      await closed(client);
    });
    await Promise.all(clients);
  }
  const client = await open();
  await client.send(request());
  assert.equal((await client.message()).body, 'hello');
  assert.deepEqual(uncaught, []);
});

async function closed(client: Peer): Promise<void> {
  if (!client.closed) await once(client.socket, 'close');
}
