// What an https:// target speaks is what its handshakes agree on, one by one. Foreign servers on the other side.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { TargetTls } from '../../src/config/config.ts';
import { type BareProxy, startBareProxy } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import { ENABLE_CONNECT_PROTOCOL } from '../support/h2-frames.ts';
import { startH2Origin } from '../support/h2-origin.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { originTls, secureTarget } from '../support/secure-origin.ts';

const TLS = originTls();
const UPGRADE = request('/', ['Connection: upgrade', 'Upgrade: echo']);

/** Answers with its protocol's version, or with what was put. */
type Versions = '1.1' | '2' | 'both';

interface Service {
  readonly port: number;
  /** What each handshake agreed on. */
  readonly agreed: readonly (string | false | null)[];
  stop(): Promise<void>;
}

async function startService(t: TestContext, versions: Versions, port = 0): Promise<Service> {
  const answer = (asked: IncomingMessage, response: ServerResponse): void => {
    if (asked.method === 'PUT') asked.pipe(response);
    else response.end(asked.httpVersion);
  };
  const server: Server | Http2SecureServer =
    versions === '1.1'
      ? createServer(TLS, answer)
      : createSecureServer({ ...TLS, allowHTTP1: versions === 'both' }, answer as never);
  const agreed: (string | false | null)[] = [];
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('secureConnection', (socket: TLSSocket) => agreed.push(socket.alpnProtocol));
  server.on('upgrade', (_asked: unknown, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nwelcome');
    socket.on('data', (chunk) => socket.write(chunk)).on('error', () => {});
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  t.after(stop);
  return { port: (server.address() as AddressInfo).port, agreed, stop };
}

const proxyTo = (t: TestContext, port: number, settings: Partial<TargetTls> = {}): Promise<BareProxy> =>
  startBareProxy(t, secureTarget(port, settings));

async function ask({ connect }: BareProxy, message = request('/')): Promise<string> {
  const client = await connect();
  await client.send(message);
  const { status, body } = await client.message();
  client.destroy();
  return `${status} ${body.split('\n', 1)[0]}`;
}

const together = (proxy: BareProxy, count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, () => ask(proxy)));

const times = (count: number, text: string): string[] => Array.from({ length: count }, () => text);

test('HTTP/2 is spoken where the target offers it; requests that come together share the first connection', async (t) => {
  const service = await startService(t, 'both');
  const proxy = await proxyTo(t, service.port);
  assert.deepEqual(await together(proxy, 20), times(20, '200 2.0'));
  assert.deepEqual(await together(proxy, 20), times(20, '200 2.0'));
  assert.deepEqual(service.agreed, ['h2']);
  assert.deepEqual([proxy.target.connections, proxy.target.inflight], [1, 0]);
});

test('what is large goes there and back whole, past a client that stops in between', async (t) => {
  const content = randomBytes(4 * 1024 * 1024);
  for (const http of ['1.1', '2'] as const) {
    const service = await startService(t, 'both');
    const { connect } = await proxyTo(t, service.port, { http });
    const client = await connect();
    client.socket.write(request('/', [`Content-Length: ${content.length}`], 'PUT'));
    client.socket.write(content);
    for (let i = 1; i < 10; i++) {
      await client.when(() => client.received > (i * content.length) / 10);
      client.socket.pause();
      await new Promise(setImmediate);
      client.socket.resume();
    }
    const { body } = await client.message();
    assert.ok(Buffer.from(body, 'latin1').equals(content), http);
  }
});

test('HTTP/1.1 is spoken where the target offers no more', async (t) => {
  const service = await startService(t, '1.1');
  const proxy = await proxyTo(t, service.port);
  assert.deepEqual(await together(proxy, 6), times(6, '200 1.1'));
  assert.ok(service.agreed.length <= 6);
  assert.deepEqual(await together(proxy, 6), times(6, '200 1.1'));
  assert.equal(proxy.target.inflight, 0);
});

for (const [http, expected, agreed] of [
  ['1.1', '200 1.1', 'http/1.1'],
  ['2', '200 2.0', 'h2'],
] as const) {
  test(`only HTTP/${http} is spoken where that is what the configuration says`, async (t) => {
    const service = await startService(t, 'both');
    assert.equal(await ask(await proxyTo(t, service.port, { http })), expected);
    assert.deepEqual(service.agreed, [agreed]);
  });
}

test('a target that should speak HTTP/2 and does not is told apart, whether or not it knows ALPN', async (t) => {
  const service = await startService(t, '1.1');
  const known = await proxyTo(t, service.port, { http: '2' });
  assert.match(await ask(known), /^502 /);
  assert.match(known.logged.join(), /it speaks none of the protocols offered \(ALPN\)/);
  const origin = await startOrigin(t, undefined, { tls: TLS });
  const unknown = await proxyTo(t, origin.port, { http: '2' });
  assert.match(await ask(unknown), /^502 /);
  assert.match(unknown.logged.join(), /it does not speak HTTP\/2 over TLS \(ALPN\)/);
  assert.equal(origin.requests.length, 0);
});

test('a target that changes what it speaks is followed', async (t) => {
  let service = await startService(t, 'both');
  const { port } = service;
  const proxy = await proxyTo(t, port);
  for (const [versions, expected] of [
    ['1.1', '200 1.1'],
    ['2', '200 2.0'],
    ['1.1', '200 1.1'],
    ['both', '200 2.0'],
  ] as const) {
    await service.stop();
    while (proxy.target.connections > 0) await new Promise(setImmediate);
    service = await startService(t, versions, port);
    assert.deepEqual(await together(proxy, 3), times(3, expected), versions);
    assert.deepEqual(await together(proxy, 3), times(3, expected), versions);
  }
});

test('an upgrade goes to a connection that was made for HTTP/1.1, and says nothing about the others', async (t) => {
  const service = await startService(t, 'both');
  const proxy = await proxyTo(t, service.port);
  const client = await proxy.connect();
  await client.send(UPGRADE);
  await client.until('welcome');
  assert.deepEqual(service.agreed, ['http/1.1']);
  assert.deepEqual(await together(proxy, 5), times(5, '200 2.0'));
  await client.send('ping');
  await client.until('welcomeping');
  assert.equal(await ask(proxy), '200 2.0');
  assert.deepEqual(service.agreed, ['http/1.1', 'h2']);
});

test('where only HTTP/2 may be spoken, an upgrade is asked for on a stream', async (t) => {
  const origin = await startH2Origin(
    t,
    (asked, peer) => {
      void peer.headers(asked.stream, [[':status', '200']]);
      void peer.data(asked.stream, 'welcome');
    },
    { tls: TLS, settings: [[ENABLE_CONNECT_PROTOCOL, 1]] },
  );
  const { connect } = await proxyTo(t, origin.port, { http: '2' });
  const client = await connect();
  await client.send(UPGRADE);
  await client.until('welcome');
  assert.equal(origin.requests[0]!.value(':protocol'), 'echo');
});

/** Clients whose requests wait for one handshake, and the one who decides when it goes on. */
async function waitTogether(t: TestContext, count: number): Promise<{ proxy: BareProxy; clients: Peer[]; hold: Peer }> {
  const silent = await startOrigin(t);
  const proxy = await proxyTo(t, silent.port);
  const clients = await Promise.all(Array.from({ length: count }, proxy.connect));
  for (const client of clients) await client.send(request('/'));
  const hold = await silent.connection(0);
  while (proxy.target.inflight < count) await new Promise(setImmediate);
  assert.equal(silent.peers.length, 1);
  return { proxy, clients, hold };
}

test('a handshake that fails is told to all that wait for it', async (t) => {
  const { proxy, clients, hold } = await waitTogether(t, 5);
  hold.reset();
  for (const client of clients) assert.equal((await client.message()).status, 502);
  assert.deepEqual([proxy.target.inflight, proxy.target.connections], [0, 0]);
  assert.equal(proxy.logged.length, 5);
});

test('a handshake goes on while somebody waits for it, and no longer', async (t) => {
  const { proxy, clients, hold } = await waitTogether(t, 3);
  for (const client of clients.slice(0, 2)) client.reset();
  while (proxy.target.inflight > 1) await new Promise(setImmediate);
  assert.equal(proxy.target.connections, 1);
  assert.equal(hold.ended, 'no');
  clients[2]!.reset();
  await hold.end();
  assert.equal(proxy.target.connections, 0);
});

test('a request that nobody waits for any more is not sent when the handshake ends', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(ok()), { tls: TLS });
  const proxy = await proxyTo(t, origin.port);
  const [leaving, staying] = [await proxy.connect(), await proxy.connect()];
  void leaving.send(request('/leaving'));
  void staying.send(request('/staying'));
  while (proxy.target.inflight < 2) await new Promise(setImmediate);
  for (const connection of proxy.connections) {
    connection.destroy();
    break;
  }
  await Promise.any([leaving.message(), staying.message()]);
  assert.equal(origin.requests.length, 1);
});
