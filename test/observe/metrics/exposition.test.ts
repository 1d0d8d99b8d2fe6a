import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIZES } from '../../../src/observe/metrics/buckets.ts';
import { exposition } from '../../../src/observe/metrics/exposition.ts';
import { EMPTY_TABLE, type FigureRow, tableOf } from '../../../src/observe/metrics/figure-table.ts';
import { type MetricsReport, NO_COUNTERS, NO_GAUGES } from '../../../src/observe/metrics/metrics-report.ts';
import { MetricsSums } from '../../../src/observe/metrics/metrics-sums.ts';
import { RESPONSE_SIZES_AT } from '../../../src/observe/metrics/route-tally.ts';
import { PRIMARY, Scrape, textOf } from '../../support/scrape.ts';

const NOTHING: MetricsReport = { counters: NO_COUNTERS, gauges: NO_GAUGES, eventLoopDelays: EMPTY_TABLE };
const NOBODY = new MetricsSums();
const WIDTH = RESPONSE_SIZES_AT + SIZES.width;

function sumsOf(page: Partial<MetricsReport>): MetricsSums {
  const sums = new MetricsSums();
  sums.add({ ...NOTHING, ...page });
  return sums;
}

function routes(rows: readonly FigureRow[]): MetricsSums {
  return sumsOf({ counters: { ...NO_COUNTERS, routes: tableOf(rows) } });
}

test('labels are escaped, so that no name in a configuration can pass for anything else', async () => {
  const evil = 'a"} 1\n# TYPE x counter\nx{b="\\';
  const targets = tableOf([{ labels: [evil], values: [3, 0, 0, 0] }]);
  const text = await textOf(sumsOf({ gauges: { ...NO_GAUGES, targets } }));
  const scraped = new Scrape(text);
  assert.deepEqual(scraped.table('perantara_upstream_requests_in_flight'), { [evil]: 3 });
  assert.equal(scraped.families.has('x'), false);
});

test('a family without series is left out, and one at rest is told as such', async () => {
  const scraped = new Scrape(await textOf(NOBODY));
  assert.equal(scraped.families.has('perantara_requests_total'), false);
  assert.deepEqual(scraped.table('perantara_reloads_total'), { accepted: 0, refused: 0 });
  assert.equal(scraped.sum('perantara_last_reload_successful'), 1);
  assert.equal(scraped.families.has('perantara_last_reload_timestamp_seconds'), false);
});

test('what the process that looks after the others knows', async () => {
  const at = Date.UTC(2026, 10, 1);
  const certificate = { name: 'a.example', notBefore: at, notAfter: at + 1_500, lastSuccessAt: at, failures: 2 };
  const scraped = new Scrape(
    await textOf(NOBODY, {
      ...PRIMARY,
      reloads: { accepted: 2, refused: 3, last: { at, accepted: false } },
      workers: { running: 4, restarts: 5 },
      certificates: [
        { ...certificate, lastError: { at, class: 'limited' }, nextTurnAt: at, waitingFor: 'orders' },
        {
          name: '*.b.example',
          ...{ notBefore: null, notAfter: null, lastSuccessAt: null, failures: 0 },
          lastError: null,
          nextTurnAt: null,
          waitingFor: null,
        },
      ],
    }),
  );
  const seconds = at / 1_000;
  const of = (name: string) => scraped.table(`perantara_certificate_${name}`);
  assert.deepEqual(scraped.table('perantara_build_info'), { '9.8.7 v26.0.0': 1 });
  assert.deepEqual(scraped.table('perantara_reloads_total'), { accepted: 2, refused: 3 });
  assert.equal(scraped.sum('perantara_last_reload_successful'), 0);
  assert.equal(scraped.sum('perantara_last_reload_timestamp_seconds'), seconds);
  assert.deepEqual([scraped.sum('perantara_workers'), scraped.sum('perantara_worker_restarts_total')], [4, 5]);
  assert.deepEqual(of('expiry_timestamp_seconds'), { 'a.example': seconds + 1.5 });
  assert.deepEqual(of('present'), { 'a.example': 1, '*.b.example': 0 });
  assert.deepEqual(of('failures'), { 'a.example': 2, '*.b.example': 0 });
  assert.deepEqual(of('last_error_timestamp_seconds'), { 'a.example limited': seconds });
  assert.deepEqual(of('waiting'), { 'a.example': 1, '*.b.example': 0 });
});

test('OpenMetrics: counters are named without their suffix, and the end is said', async () => {
  const accepted = tableOf([{ labels: ['https'], values: [7] }]);
  const text = await textOf(sumsOf({ counters: { ...NO_COUNTERS, accepted } }), PRIMARY, 'openmetrics');
  assert.match(
    text,
    /\n# TYPE perantara_connections_accepted counter\nperantara_connections_accepted_total\{listener="https"\} 7\n/,
  );
  assert.match(text, /\n# EOF\n$/);
  assert.doesNotMatch(text, /# TYPE \S+_total /);
});

test('many sites are told in pieces with other work between', async () => {
  const count = 1_000;
  const rows = Array.from({ length: count }, (_, i) => ({
    labels: [`s${i}.example`, '/*'],
    values: new Float64Array(WIDTH).fill(1),
  }));
  let turns = 0;
  let isOver = false;
  const work = (): void => {
    turns++;
    if (!isOver) setImmediate(work);
  };
  setImmediate(work);
  const pieces: string[] = [];
  for await (const piece of exposition(routes(rows), PRIMARY)) pieces.push(piece);
  isOver = true;
  const scraped = new Scrape(pieces.join(''));
  assert.equal(scraped.sum('perantara_requests_total'), 36 * count);
  assert.equal(scraped.sum('perantara_response_size_bytes_sum'), count);
  const longest = Math.max(...pieces.map(({ length }) => length));
  assert.ok(longest < 100_000, `${longest} characters`);
  assert.ok(turns > pieces.length * 0.8, `${turns} turns, ${pieces.length} pieces`);
});
