// Metrics while everything goes wrong at once: what is counted as begun is counted as over, and every scrape can be read.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Chain, post, request, startChain } from '../support/chain.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM, rstStream } from '../support/h2-frames.ts';
import { requestFields } from '../support/h2-headers.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { ok, type Script } from '../support/origin.ts';
import { connectPlain } from '../support/peer.ts';
import { scrape, scrapeUntil } from '../support/scrape.ts';

const SCRIPT: Script = async ({ startLine }, peer) => {
  switch (startLine.split(' ')[1]) {
    case '/silence':
      return;
    case '/broken':
      await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      return peer.cut();
    case '/nonsense':
      return peer.send('nonsense\r\n\r\n');
    default:
      return peer.send(ok());
  }
};

const storm = (t: TestContext): Promise<Chain> =>
  startChain(t, { script: SCRIPT, site: { maxBody: '1KiB' }, config: { timeouts: { connect: '1s' } } });

test('after a storm of requests that break off in every way, nothing is in flight', async (t) => {
  const chain = await storm(t);
  const texts = [
    request('/silence'),
    request('/broken'),
    request('/nonsense'),
    request('/').slice(0, -4),
    post('/', 'x'.repeat(100)).slice(0, -50),
    request('/silence').repeat(2),
    `${request('/', ['Transfer-Encoding: chunked'], 'POST')}zz\r\n`,
    request('/', ['Content-Length: 5000'], 'POST'),
    request('/silence', ['Connection: Upgrade', 'Upgrade: x']),
    'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
    '\0\0\0\0',
  ];
  for (const text of texts)
    for (const again of [false, true]) {
      const client = await chain.connect();
      // By then the server has written what it writes after a handshake, and notices a reset as one.
      await client.send(request());
      await client.message();
      await client.send(text);
      if (again) await client.send(text);
      client.reset(); // whoever only ends its side is waited for
    }
  const requests: ((client: H2Peer) => unknown)[] = [
    (client) => client.headers(1, requestFields('/silence'), END_STREAM),
    (client) => client.headers(1, requestFields('/broken'), END_STREAM),
    (client) => client.headers(1, requestFields('/', 'POST', [['content-length', '5']])),
    (client) => client.headers(1, requestFields('/', 'GET', [['connection', 'close']]), END_STREAM),
    (client) => client.headers(1, requestFields('/', 'GET', [['x', 'y'.repeat(40_000)]]), END_STREAM),
    (client) => client.headers(1, requestFields('/silence', 'CONNECT', [[':protocol', 'x']])),
    (client) => client.headers(2, requestFields('/'), END_STREAM), // which ends the connection
  ];
  for (const ask of requests)
    for (const leaves of [true, false]) {
      const client = await openH2(t, chain.httpsPort, { isJudged: false });
      await client.headers(11, requestFields('/silence'), END_STREAM);
      await client.headers(13, requestFields('/silence', 'POST'));
      await ask(client);
      if (leaves) await client.send(rstStream(11));
      client.destroy();
    }
  const plain = await connectPlain(chain.httpPort);
  await plain.send(request());
  await plain.message();
  plain.reset();
  const scraped = await scrapeUntil(
    chain.server,
    (each) =>
      each.sum('perantara_requests_total') > 40 &&
      each.sum('perantara_requests_in_flight') === 0 &&
      each.sum('perantara_upstream_requests_in_flight') === 0 &&
      each.sum('perantara_connections_open') === 0,
  );
  const outcomes = new Set(
    scraped.families.get('perantara_requests_total')!.samples.map(({ labels }) => labels.outcome),
  );
  assert.ok(
    ['refused', 'client_gone'].every((outcome) => outcomes.has(outcome)),
    [...outcomes].join(),
  );
  const requestsOver = scraped.sum('perantara_requests_total');
  assert.equal(scraped.sum('perantara_response_size_bytes_count'), requestsOver, 'each has its sizes');
});

test('a scrape at any moment of a reload can be read, and no counter of what stays goes back', async (t) => {
  const chain = await storm(t);
  const target = `http://127.0.0.1:${chain.origin.port}`;
  const done = { reloads: 0, scrapes: 0, requests: 0 };
  const isOver = (): boolean => Object.values(done).every((count) => count >= 15);
  const reloads = async (): Promise<void> => {
    for (; !isOver(); done.reloads++) {
      const routes = {
        '/*': { proxy: target, maxBody: `${done.reloads + 1}KiB` },
        [`/${done.reloads % 3}`]: { respond: 'other' },
      };
      assert.ok((await chain.reload({ sites: { 'app.localhost': { routes } } })).accepted);
      await setImmediate(); // a reload may be over before anybody else has had a turn
    }
  };
  const scrapes = async (): Promise<void> => {
    for (let last = 0; !isOver(); done.scrapes++) {
      const total = (await scrape(chain.server)).sum('perantara_requests_total', { route: '/*' });
      assert.ok(total >= last, `${total} after ${last}`);
      last = total;
    }
  };
  const traffic = async (): Promise<void> => {
    for (const client = await chain.connect(); !isOver(); done.requests++) {
      const before = client.received;
      await client.send(request());
      await client.when(() => client.received > before);
    }
  };
  await Promise.all([reloads(), scrapes(), traffic()]);
  await scrapeUntil(chain.server, (each) => each.sum('perantara_requests_total', { route: '/*' }) === done.requests);
});
