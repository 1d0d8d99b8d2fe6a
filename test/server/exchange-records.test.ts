import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { monotonicMs } from '../../src/core/clock.ts';
import type { Handler } from '../../src/http/exchange.ts';
import { type BareProxy, type Carrier, startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM, INITIAL_WINDOW_SIZE, rstStream } from '../support/h2-frames.ts';
import { requestFields } from '../support/h2-headers.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { type Origin, ok, type Script, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { inWords, ToldExchanges } from '../support/told-exchanges.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';

/** By path. */
const SCRIPT: Script = async ({ startLine }, peer) => {
  switch (startLine.split(' ')[1]) {
    case '/silence':
      return;
    case '/half':
      return peer.send(HALF);
    case '/broken':
      await peer.send(HALF);
      return peer.cut();
    case '/nothing':
      return peer.cut();
    case '/upgrade':
      return peer.send(SWITCH, 'hi');
    default:
      return peer.send(ok());
  }
};

interface Rig {
  readonly proxy: BareProxy;
  readonly told: ToldExchanges;
  readonly origin: Origin;
}

async function rig(t: TestContext, carrier: Carrier = 'plain', handler?: Handler): Promise<Rig> {
  const origin = await startOrigin(t, SCRIPT);
  const proxy = await startBareProxy(t, origin.port, handler, carrier);
  return { proxy, told: new ToldExchanges(proxy.records), origin };
}

const open = (t: TestContext, { proxy }: Rig): Promise<H2Peer> => openH2(t, proxy.port, { carrier: 'plain' });
const ask = (client: H2Peer, stream: number, path: string, flags = END_STREAM, method = 'GET') =>
  client.headers(stream, requestFields(path, method), flags);

test('an exchange is told once, with what was asked, answered and carried, by either version of HTTP', async (t) => {
  const before = monotonicMs();
  const plain = await rig(t);
  const client = await plain.proxy.connect();
  await client.send(post('/a/../b%41?c=d', 'content', ['User-Agent: me']));
  await client.message();
  const session = await rig(t, 'h2c');
  const h2 = await open(t, session);
  ask(h2, 1, '/a/../b%41?c=d', 0, 'POST');
  await h2.data(1, 'content', END_STREAM);
  await h2.message(1);
  for (const [{ told, proxy }, version] of [
    [plain, '1.1'],
    [session, '2.0'],
  ] as const) {
    const [record, ...others] = await told.take();
    assert.ok(record !== undefined && others.length === 0);
    const { method, target, host, status, requestBytes, responseBytes, outcome, error, upstream, attempts } = record;
    assert.deepEqual([method, target, host, record.version], ['POST', '/a/../b%41?c=d', 'app.localhost', version]);
    assert.deepEqual([status, requestBytes, responseBytes, outcome, error], [200, 7, 5, 'complete', null]);
    assert.deepEqual([upstream, attempts], [proxy.target.name, 1]);
    assert.deepEqual([record.client.address, record.client.tls], ['127.0.0.1', null]);
    assert.ok(record.client.port > 0 && record.id === null);
    const { beganAtMs, respondedAtMs, endedAtMs } = record;
    assert.ok(before <= beganAtMs && beganAtMs <= respondedAtMs && respondedAtMs <= endedAtMs);
  }
  assert.deepEqual([...plain.told.records, ...session.told.records], []);
});

test('what TLS agreed on is told', async (t) => {
  const { proxy, told } = await rig(t, 'tls');
  const client = await proxy.connect();
  await client.send(request());
  await client.message();
  const [record] = await told.take();
  assert.equal(record!.client.servername, 'app.localhost');
  assert.deepEqual(record!.client.tls, { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', resumed: false });
});

test('HTTP/1.1: a request that becomes none is told with its answer, and with as much as could be read of it', async (t) => {
  const { proxy, told } = await rig(t);
  const table: readonly (readonly [text: string, words: string, target: string])[] = [
    ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', 'refused 400 bad_request', ''],
    ['GET /x HTTP/1.1\r\n\r\n', 'refused 400 bad_request', '/x'],
    [request('/y', [], 'CONNECT').replace('/y', 'a:1'), 'refused 501 not_implemented', 'a:1'],
    [request(`/${'x'.repeat(9_000)}`), 'refused 414 target_too_long', ''],
    [request('/', [`X: ${'x'.repeat(40_000)}`]), 'refused 431 head_too_large', ''],
    [request().replace('HTTP/1.1', 'HTTP/3.0'), 'refused 505 unsupported_version', ''],
  ];
  for (const [text, words, target] of table) {
    const client = await proxy.connect();
    await client.send(text);
    const answer = await client.message();
    const records = await told.take();
    assert.deepEqual(records.map(inWords), [words]);
    assert.equal(records[0]!.target, target);
    assert.equal(records[0]!.responseBytes, answer.body.length);
    assert.match(answer.body, new RegExp(`Request id: ${records[0]!.id}`));
    client.destroy();
  }
});

test('HTTP/1.1: heads and content that do not come in time are told as what their clients are told', async (t) => {
  const { proxy, told } = await rig(t);
  for (const text of ['GET / HTTP/1.1\r\nHo', post('/silence', '1234567').slice(0, -3)]) {
    const client = await proxy.connect();
    await client.send(text);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 20);
    await promise;
    proxy.passTime(TIMEOUTS.bodyIdleMs);
    assert.equal((await client.message()).status, 408);
    assert.equal(await told.word(), 'refused 408 request_timeout');
  }
  const idle = await proxy.connect();
  await idle.send(request());
  await idle.message();
  await told.take();
  proxy.passTime(TIMEOUTS.keepAliveMs);
  await idle.end();
  assert.deepEqual(told.records, [], 'no request, no record');
});

test('HTTP/1.1: whoever breaks an exchange off is named', async (t) => {
  const running = await rig(t);
  const { proxy, told } = running;
  const table: readonly (readonly [path: string, leaves: boolean, words: string])[] = [
    ['/silence', true, 'client_gone 0 client_gone'],
    ['/half', true, 'client_gone 200 client_gone'],
    ['/broken', false, 'cut 200 upstream_closed'],
    ['/nothing', false, 'upstream_failed 502 upstream_closed'],
  ];
  for (const [path, leaves, words] of table) {
    const client = await proxy.connect();
    await client.send(post(path, 'x'));
    if (path === '/half') await client.until('hello');
    if (path === '/silence') await new Promise((resolve) => setTimeout(resolve, 20));
    if (leaves) client.reset();
    else await client.until(path === '/broken' ? 'hello' : 'Request id');
    assert.equal(await told.word(), words, path);
  }
  const malformed = await proxy.connect();
  await malformed.send(request('/silence', ['Transfer-Encoding: chunked'], 'POST'), 'nonsense\r\n');
  await malformed.message();
  assert.equal(await told.word(), 'refused 400 bad_request');
  assert.deepEqual(told.records, []);
});

test('HTTP/2: whoever breaks an exchange off is named', async (t) => {
  const running = await rig(t, 'h2c');
  const { told } = running;
  const client = await open(t, running);
  await ask(client, 1, '/half');
  await client.when(() => client.stream(1).content.length === 5);
  await client.send(rstStream(1));
  assert.equal(await told.word(), 'client_gone 200 client_gone');
  await ask(client, 3, '/broken');
  await client.resetOf(3);
  assert.equal(await told.word(), 'cut 200 upstream_closed');
  await client.headers(5, requestFields('/nothing', 'POST', [['content-length', '1']]));
  await client.data(5, 'x', END_STREAM);
  await client.message(5);
  assert.equal(await told.word(), 'upstream_failed 502 upstream_closed');
  await client.headers(7, requestFields('/x', 'GET', [['connection', 'close']]), END_STREAM);
  await client.resetOf(7);
  const [malformed] = await told.take();
  assert.deepEqual([inWords(malformed!), malformed!.target], ['refused 0 bad_request', '/x']);
  await client.headers(9, requestFields('/y', 'GET', [['x', 'x'.repeat(40_000)]]), END_STREAM);
  await client.message(9);
  assert.equal(await told.word(), 'refused 431 head_too_large');
  await ask(client, 11, '/half');
  await client.when(() => client.stream(11).content.length === 5);
  await ask(client, 13, '/silence', END_STREAM, 'POST');
  await client.roundTrip();
  client.destroy();
  assert.deepEqual((await told.take(2)).map(inWords), ['client_gone 200 client_gone', 'client_gone 0 client_gone']);
  assert.deepEqual(told.records, []);
});

test('HTTP/2: a response that its client does not take whole counts with what was sent of it', async (t) => {
  const running = await rig(t, 'h2c', (exchange) => {
    exchange.respond({ status: 200, reason: '', headers: exchange.request.headers }, 100_000);
    exchange.write(Buffer.alloc(100_000));
    exchange.end(null);
  });
  const client = await openH2(t, running.proxy.port, { carrier: 'plain', habits: { returnWindow: false } });
  await ask(client, 1, '/');
  await client.when(() => client.stream(1).content.length === 65_535);
  assert.deepEqual(running.told.records, [], 'it is not over');
  await client.send(rstStream(1));
  const [record] = await running.told.take();
  assert.deepEqual([inWords(record!), record!.responseBytes], ['client_gone 200 client_gone', 65_535]);
});

test('HTTP/2: a client that does not take an error page has gone, and why there was one is not forgotten', async (t) => {
  const running = await rig(t, 'h2c');
  const client = await openH2(t, running.proxy.port, { carrier: 'plain', settings: [[INITIAL_WINDOW_SIZE, 0]] });
  await client.headers(1, requestFields('/nothing', 'POST', [['content-length', '1']]));
  await client.data(1, 'x', END_STREAM);
  await client.head(1);
  await client.send(rstStream(1));
  assert.equal(await running.told.word(), 'client_gone 502 upstream_closed');
});

test('a connection that is lost with the process cuts its exchanges', async (t) => {
  for (const carrier of ['plain', 'h2c'] as const) {
    const running = await rig(t, carrier);
    const { proxy, told } = running;
    if (carrier === 'plain') await (await proxy.connect()).send(request('/silence'));
    else await ask(await open(t, running), 1, '/silence');
    const [connection] = [...proxy.connections, ...proxy.sessions];
    while (proxy.target.inflight === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    connection!.destroy();
    assert.equal(await told.word(), 'cut 0 shutting_down', carrier);
  }
});

test('a fault of a handler is told as one', async (t) => {
  for (const carrier of ['plain', 'h2c'] as const) {
    const running = await rig(t, carrier, () => {
      throw new Error('a mistake');
    });
    if (carrier === 'plain') await (await running.proxy.connect()).send(request('/'));
    else await ask(await open(t, running), 1, '/');
    assert.equal(await running.told.word(), 'failed 500 internal', carrier);
  }
});

test('HTTP/1.1: a tunnel is one exchange, with the bytes of both ways, over when both sides have ended', async (t) => {
  const { proxy, told, origin } = await rig(t);
  const upgrade = request('/upgrade', ['Connection: Upgrade', 'Upgrade: x']);
  const openTunnel = async (): Promise<Peer> => {
    const client = await proxy.connect();
    await client.send(upgrade);
    await client.until('hi');
    return client;
  };
  const client = await openTunnel();
  await client.send('12345');
  client.finish();
  await origin.peers[0]!.end();
  assert.deepEqual(told.records, [], 'one side may still talk');
  origin.peers[0]!.finish();
  await client.end();
  const [whole] = await told.take();
  const { requestBytes, responseBytes } = whole!;
  assert.deepEqual([inWords(whole!), requestBytes, responseBytes], ['complete 101', 5, 2]);
  const patient = await openTunnel();
  origin.peers[1]!.finish();
  await patient.end();
  await patient.send('1234');
  assert.deepEqual(told.records, [], 'one side may still talk');
  patient.finish();
  const [other] = await told.take();
  assert.deepEqual([inWords(other!), other!.requestBytes], ['complete 101', 4]);
  (await openTunnel()).reset();
  assert.equal(await told.word(), 'client_gone 101 client_gone');
  await openTunnel();
  proxy.passTime(TIMEOUTS.tunnelIdleMs);
  assert.equal(await told.word(), 'cut 101 tunnel_idle');
});

test('HTTP/2: a tunnel is one exchange too', async (t) => {
  const running = await rig(t, 'h2c');
  const { proxy, told, origin } = running;
  const client = await open(t, running);
  const connect = requestFields('/upgrade', 'CONNECT', [[':protocol', 'x']]);
  await client.headers(1, connect);
  await client.when(() => client.stream(1).content.length === 2);
  await client.data(1, '12345', END_STREAM);
  await origin.peers[0]!.end();
  assert.deepEqual(told.records, [], 'one side may still talk');
  origin.peers[0]!.finish();
  const [whole] = await told.take();
  const { method, requestBytes, responseBytes } = whole!;
  assert.deepEqual([inWords(whole!), method, requestBytes, responseBytes], ['complete 200', 'CONNECT', 5, 2]);
  await client.headers(3, connect);
  await client.when(() => client.stream(3).content.length === 2);
  proxy.passTime(TIMEOUTS.tunnelIdleMs);
  assert.equal(await told.word(), 'cut 200 tunnel_idle');
});

test('nobody listening costs no record', async (t) => {
  let seen: unknown = 'unseen';
  const origin = await startOrigin(t);
  const proxy = await startBareProxy(t, origin.port, (exchange) => {
    seen = exchange.record;
    exchange.respond({ status: 204, reason: '', headers: exchange.request.headers }, 0);
    exchange.end(null);
  });
  const client = await proxy.connect();
  await client.send(request());
  await client.message();
  assert.equal(seen, null);
});
