// What metrics say of real requests over real sockets, read back by a parser that knows nothing of who wrote them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Chain, post, request, startChain } from '../support/chain.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM, rstStream } from '../support/h2-frames.ts';
import { type FieldPair, requestFields } from '../support/h2-headers.ts';
import { ok, type Script } from '../support/origin.ts';
import { connectPlain, connectSecure } from '../support/peer.ts';
import { refusedPort } from '../support/refused-port.ts';
import { type Scrape, scrape, scrapeUntil } from '../support/scrape.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const SCRIPT: Script = async ({ startLine }, peer) => {
  switch (startLine.split(' ')[1]) {
    case '/silence':
      return;
    case '/half':
      return peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    case '/broken':
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      return peer.cut();
    case '/busy':
      return peer.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    case '/moved':
      return peer.send('HTTP/1.1 302 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n');
    case '/upgrade':
      return peer.send(SWITCH, 'hi');
    default:
      return peer.send(ok());
  }
};

async function counted(t: TestContext): Promise<Chain & { readonly target: string; readonly dead: string }> {
  const dead = `http://127.0.0.1:${await refusedPort(t)}`;
  const origin = '127.0.0.1';
  const chain = await startChain(t, {
    script: SCRIPT,
    config: { timeouts: { drain: '100ms' } },
  });
  const target = `http://${origin}:${chain.origin.port}`;
  const routes = {
    '/*': { proxy: target },
    '/dead': dead,
    '/said': { respond: 'said' },
    '/small': { proxy: target, maxBody: '5B' },
  };
  const result = await chain.reload({ sites: { 'app.localhost': { routes } }, timeouts: { drain: '100ms' } });
  assert.ok(result.accepted);
  return { ...chain, target, dead };
}

const APP = { site: 'app.localhost' };

test('requests are counted once, by site, route, status and outcome, over HTTP/1.1', async (t) => {
  const { connect, server, target, dead, httpPort } = await counted(t);
  const ask = async (text: string): Promise<void> => {
    const client = await connect();
    await client.send(text);
    await client.message(text.startsWith('HEAD'));
    client.destroy();
  };
  for (const path of ['/', '/busy', '/moved', '/dead', '/dead', '/said', '/said', '/said']) await ask(request(path));
  await ask(request('/', [], 'HEAD'));
  await ask(post('/small', 'too much'));
  await ask(request().replace('app.localhost', 'other.example'));
  await ask('GET /\r\n\r\n');
  const broken = await connect();
  await broken.send(request('/broken'));
  await broken.end();
  const gone = await connect();
  await gone.send(request('/half'));
  await gone.until('hello');
  gone.reset();
  const tunnel = await connect();
  await tunnel.send(request('/upgrade', ['Connection: Upgrade', 'Upgrade: x']));
  await tunnel.until('hi');
  tunnel.reset();
  const plain = await connectPlain(httpPort);
  t.after(() => plain.destroy());
  await plain.send(request());
  await plain.message();
  const isOver = (each: Scrape): boolean => each.sum('perantara_requests_in_flight') === 0;
  const scraped = await scrapeUntil(server, (each) => each.sum('perantara_requests_total') >= 16 && isOver(each));
  assert.deepEqual(scraped.table('perantara_requests_total', APP), {
    '(none) 3xx complete': 1,
    '/* 1xx client_gone': 1,
    '/* 2xx client_gone': 1,
    '/* 2xx complete': 2,
    '/* 2xx cut': 1,
    '/* 3xx complete': 1,
    '/* 5xx complete': 1,
    '/dead 5xx upstream_failed': 2,
    '/said 2xx complete': 3,
    '/small 4xx refused': 1,
  });
  assert.deepEqual(scraped.table('perantara_requests_total', { site: '(none)' }), { '(none) 4xx refused': 2 });
  assert.deepEqual(scraped.table('perantara_upstream_failures_total'), {
    [`${dead} connect_failed`]: 2,
    [`${target} upstream_closed`]: 1,
  });
  assert.deepEqual(scraped.table('perantara_upstream_attempts_total'), { [target]: 7, [dead]: 2 });
  // A tunnel has no duration that could be compared with others'; whoever is not answered has no head.
  assert.equal(scraped.sum('perantara_request_duration_seconds_count', { ...APP, route: '/*' }), 6);
  assert.equal(scraped.sum('perantara_response_head_seconds_count', { ...APP, route: '/*' }), 7);
  assert.equal(scraped.sum('perantara_response_size_bytes_count', { ...APP, route: '/*' }), 7);
});

test('requests are counted once, by site, route, status and outcome, over HTTP/2', async (t) => {
  const { server, httpsPort, target } = await counted(t);
  const client = await openH2(t, httpsPort);
  let stream = -1;
  const begin = async (path: string, more: readonly FieldPair[] = []): Promise<void> => {
    stream += 2;
    await client.headers(stream, requestFields(path, 'GET', more), END_STREAM);
  };
  for (const path of ['/', '/busy', '/dead', '/said']) {
    await begin(path);
    await client.message(stream);
  }
  await begin('/broken');
  await client.resetOf(stream);
  await begin('/', [['te', 'gzip']]);
  await client.resetOf(stream);
  await begin('/half');
  await client.when(() => client.stream(stream).content.length === 5);
  await client.send(rstStream(stream));
  await client.roundTrip();
  stream += 2;
  await client.headers(stream, requestFields('/upgrade', 'CONNECT', [[':protocol', 'x']]));
  await client.when(() => client.stream(stream).content.length === 2);
  const during = await scrapeUntil(
    server,
    (each) => each.sum('perantara_requests_total') === 7 && each.sum('perantara_requests_in_flight') === 1, // the tunnel
  );
  assert.deepEqual(during.table('perantara_upstream_requests_in_flight')[target], 1);
  assert.ok(during.table('perantara_upstream_connections_open')[target]! >= 1);
  assert.deepEqual(during.table('perantara_connections_open'), { http: 0, https: 1 });
  client.destroy();
  // The pages of one scrape are not of one moment.
  const isOver = (each: Scrape): boolean => each.sum('perantara_requests_in_flight') === 0;
  const scraped = await scrapeUntil(server, (each) => each.sum('perantara_requests_total') === 8 && isOver(each));
  assert.deepEqual(scraped.table('perantara_requests_total'), {
    '(none) (none) none refused': 1,
    'app.localhost /* 2xx client_gone': 2,
    'app.localhost /* 2xx complete': 1,
    'app.localhost /* 2xx cut': 1,
    'app.localhost /* 5xx complete': 1,
    'app.localhost /dead 5xx upstream_failed': 1,
    'app.localhost /said 2xx complete': 1,
  });
  assert.equal(scraped.sum('perantara_request_duration_seconds_count', { route: '/*' }), 4, 'without the tunnel');
});

test('sizes are those of the content, each in its bucket', async (t) => {
  const { connect, server } = await counted(t);
  const client = await connect();
  for (const size of [0, 1, 1_024, 1_025, 70_000]) {
    const before = client.received;
    await client.send(post('/', 'x'.repeat(size)));
    await client.when(() => client.received > before);
  }
  const scraped = await scrapeUntil(server, (each) => each.sum('perantara_requests_total', APP) === 5);
  const bucket = (name: string, le: string): number =>
    scraped.sum(`perantara_${name}_size_bytes_bucket`, { ...APP, le });
  assert.deepEqual(
    ['0', '1024', '4096', '16384', '65536', '262144', '+Inf'].map((le) => bucket('request', le)),
    [1, 3, 4, 4, 4, 5, 5],
  );
  assert.equal(scraped.sum('perantara_request_size_bytes_sum', APP), 1 + 1_024 + 1_025 + 70_000);
  assert.deepEqual([bucket('response', '0'), bucket('response', '1024')], [0, 5]);
  assert.equal(scraped.sum('perantara_response_size_bytes_sum', APP), 25);
  const [head, whole] = ['response_head', 'request_duration'].map((name) =>
    scraped.sum(`perantara_${name}_seconds_sum`),
  );
  assert.ok(0 < head! && head! <= whole! && whole! < 60, `${head} ${whole}`);
});

test('whatever thousands of strangers send, there are no more series than before', async (t) => {
  const { connect, server, httpsPort, httpPort } = await counted(t);
  const word = (): string => `x${randomBytes(6).toString('hex')}`;
  const crowd = async (count: number): Promise<void> => {
    const client = await connect();
    for (let i = 0; i < count; i++) {
      const before = client.received;
      await client.send(`${word().toUpperCase()} /${word()}?${word()} HTTP/1.1\r\nHost: ${word()}.${word()}\r\n\r\n`);
      await client.when(() => client.received > before);
      const known = client.received;
      await client.send(`${word().toUpperCase()} /said HTTP/1.1\r\nHost: app.localhost\r\n\r\n`);
      await client.when(() => client.received > known);
    }
    client.destroy();
    const plain = await connectPlain(httpPort);
    await plain.send(`GET /${word()} HTTP/1.1\r\nHost: ${word()}.example\r\n\r\n`);
    await plain.message();
    plain.destroy();
    await assert.rejects(connectSecure(httpsPort, { servername: `${word()}.example` }));
  };
  await crowd(3);
  const before = (await scrapeUntil(server, (each) => each.sum('perantara_requests_total') === 7)).series;
  await crowd(1_500);
  const after = await scrapeUntil(server, (each) => each.sum('perantara_requests_total') === 3_008);
  assert.equal(after.series, before);
  assert.equal(after.sum('perantara_requests_total', { site: '(none)' }), 1_505);
  assert.equal(after.sum('perantara_requests_total', { route: '/said' }), 1_503);
});

test('connections and handshakes are counted, and why some came to nothing', async (t) => {
  const { server, httpsPort, httpPort, connect } = await counted(t);
  // By then the handshake that showed that there is a certificate is over here too.
  const first = await scrapeUntil(server, (each) => each.sum('perantara_tls_handshakes_total') === 1);
  const change = (each: typeof first, name: string, labels: Readonly<Record<string, string>>): number =>
    each.sum(name, labels) - first.sum(name, labels);
  const failed = 'perantara_tls_handshake_failures_total';
  await assert.rejects(connectSecure(httpsPort, { servername: 'other.example' }));
  await assert.rejects(connectSecure(httpsPort, { servername: '' }));
  await assert.rejects(
    connectSecure(httpsPort, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
  );
  const lost = await connectPlain(httpsPort);
  await lost.send(request());
  await lost.end();
  const shy = await connectPlain(httpsPort);
  shy.finish();
  await shy.end();
  const one = await connect();
  const old = await connectSecure(httpsPort, { maxVersion: 'TLSv1.2' });
  const { promise: ticket, resolve } = Promise.withResolvers<Buffer>();
  const other = await connectSecure(httpsPort);
  (other.socket as unknown as NodeJS.EventEmitter).once('session', resolve);
  await other.send(request());
  await other.message();
  const again = await connectSecure(httpsPort, { session: await ticket });
  const plain = await connectPlain(httpPort);
  t.after(() => [one, old, other, again, plain].forEach((each) => void each.destroy()));
  const scraped = await scrapeUntil(
    server,
    (each) => change(each, failed, {}) === 5 && change(each, 'perantara_connections_accepted_total', {}) === 10,
  );
  assert.deepEqual(
    ['unknown_name', 'failed', 'http', 'client_gone', 'too_slow'].map((reason) => change(scraped, failed, { reason })),
    [2, 1, 1, 1, 0],
  );
  const handshakes = (version: string, resumed: string): number =>
    change(scraped, 'perantara_tls_handshakes_total', { version, resumed });
  assert.deepEqual(
    [handshakes('TLSv1.3', 'false'), handshakes('TLSv1.3', 'true'), handshakes('TLSv1.2', 'false')],
    [2, 1, 1],
  );
  assert.equal(change(scraped, 'perantara_connections_accepted_total', { listener: 'https' }), 9);
  assert.deepEqual(scraped.table('perantara_connections_open'), { http: 1, https: 4 });
});

test('connections that are not let in are counted with the reason', async (t) => {
  const { server, httpPort } = await startChain(t, {
    config: {
      listen: { http: { address: '127.0.0.1:0', proxyProtocol: true }, https: '127.0.0.1:0' },
      trustedProxies: ['192.0.2.1'],
    },
  });
  const stranger = await connectPlain(httpPort);
  await stranger.end();
  const scraped = await scrapeUntil(server, (each) => each.sum('perantara_connections_refused_total') > 0);
  assert.equal(scraped.table('perantara_connections_refused_total')['http untrusted_proxy'], 1);
  assert.equal(scraped.table('perantara_connections_open').http, 0);
});

test('the time to connect is counted for each connection, not for each request', async (t) => {
  const { server, target, connect } = await counted(t);
  const client = await connect();
  for (let i = 0; i < 3; i++) {
    const before = client.received;
    await client.send(request());
    await client.when(() => client.received > before);
  }
  const scraped = await scrapeUntil(server, (each) => each.sum('perantara_requests_total', APP) === 3);
  assert.equal(scraped.sum('perantara_upstream_connect_seconds_count', { target }), 1);
  assert.equal(scraped.table('perantara_upstream_attempts_total')[target], 3);
});

test('another configuration: what stays counts on, what is gone is told no more', async (t) => {
  const chain = await counted(t);
  const { server, target } = chain;
  const ask = async (path: string): Promise<void> => {
    const client = await chain.connect();
    await client.send(request(path));
    await client.message();
  };
  for (const path of ['/', '/said', '/dead']) await ask(path);
  await scrapeUntil(server, (each) => each.sum('perantara_requests_total') === 3);
  const routes = { '/*': { proxy: target, maxBody: '1KiB' }, '/said': { respond: 'other' } };
  assert.ok((await chain.reload({ sites: { 'app.localhost': { routes } } })).accepted);
  for (const path of ['/', '/said']) await ask(path);
  const scraped = await scrapeUntil(server, (each) => each.sum('perantara_requests_total') === 4);
  assert.deepEqual(scraped.table('perantara_requests_total', APP), { '/* 2xx complete': 2, '/said 2xx complete': 2 });
  assert.deepEqual(Object.keys(scraped.table('perantara_upstream_attempts_total')), [target]);
});

test('without an admin endpoint nothing is counted, and from the moment there is one, everything', async (t) => {
  const chain = await startChain(t, { config: { admin: 'off' } });
  const ask = async (): Promise<void> => {
    const client = await chain.connect();
    await client.send(request());
    await client.message();
  };
  await ask();
  const before = await scrape(chain.server);
  assert.equal(before.families.get('perantara_requests_total'), undefined);
  const site = { proxy: `http://127.0.0.1:${chain.origin.port}` };
  assert.ok((await chain.reload({ sites: { 'app.localhost': site } })).accepted);
  await ask();
  await scrapeUntil(chain.server, (each) => each.sum('perantara_requests_total') === 1);
});

test('certificates are told with their dates and how the attempts at them went', async (t) => {
  const { server } = await counted(t);
  const scraped = await scrape(server);
  const [gauges] = [...server.certificateGauges()];
  const certificate = { certificate: 'app.localhost' };
  const value = (name: string): number => scraped.sum(`perantara_certificate_${name}`, certificate);
  assert.equal(value('expiry_timestamp_seconds'), gauges!.notAfter! / 1_000);
  assert.ok(value('expiry_timestamp_seconds') > Date.now() / 1_000);
  assert.deepEqual([value('present'), value('failures'), value('waiting')], [1, 0, 0]);
});
