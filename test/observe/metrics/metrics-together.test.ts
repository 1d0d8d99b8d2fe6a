import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FigureSums } from '../../../src/observe/metrics/figure-sums.ts';
import { tableOf } from '../../../src/observe/metrics/figure-table.ts';
import {
  type MetricsCounters,
  type MetricsReport,
  NO_COUNTERS,
  NO_GAUGES,
} from '../../../src/observe/metrics/metrics-report.ts';
import { MetricsTogether } from '../../../src/observe/metrics/metrics-together.ts';

const one = (labels: readonly string[], ...values: number[]) => tableOf([{ labels, values }]);

/** Pages as they come from another process. */
function told(accepted: number, open: number, delay = 0, more: Partial<MetricsCounters> = {}): MetricsReport[] {
  const page = {
    counters: { ...NO_COUNTERS, accepted: one(['https'], accepted), ...more },
    gauges: { ...NO_GAUGES, open: one(['https'], open) },
    eventLoopDelays: one([], delay, 1, 2),
  };
  return structuredClone([page]);
}

const tableFrom = (sums: FigureSums): readonly (readonly [labels: string, ...values: number[]])[] =>
  [...sums.rows].map(({ labels, values }) => [labels.join(' '), ...Array.from(values)]);

async function numbers(together: MetricsTogether): Promise<readonly (number | undefined)[]> {
  const { counters, gauges } = await together.sums();
  return [counters.accepted, gauges.open].map((sums) => [...sums.rows][0]?.values[0]);
}

test('workers are put together: counters and gauges are summed, of delays the worst is told', async () => {
  const [together, a, b] = [new MetricsTogether(), {}, {}];
  together.take(a, told(10, 3, 7));
  together.take(b, told(5, 2, 4));
  assert.deepEqual(await numbers(together), [15, 5]);
  assert.deepEqual(tableFrom((await together.sums()).eventLoopDelays), [['', 7, 1, 2]]);
  together.take(a, told(12, 1));
  assert.deepEqual(await numbers(together), [17, 3], 'a newer report takes the place of the one before');
});

test('a worker that is killed and replaced takes nothing back of what it has counted', async () => {
  const [together, a, b, c] = [new MetricsTogether(), {}, {}, {}];
  together.take(a, told(10, 3));
  together.take(b, told(5, 2));
  together.leave(a);
  assert.deepEqual(await numbers(together), [15, 2], 'its connections are gone with it');
  together.leave(a);
  assert.deepEqual(await numbers(together), [15, 2], 'it is gone once');
  together.take(c, told(1, 1));
  assert.deepEqual(await numbers(together), [16, 3]);
  together.take(a, told(11, 3));
  assert.deepEqual(await numbers(together), [16, 3], 'what comes after its end is too late');
  together.leave(b);
  together.leave(c);
  assert.deepEqual(await numbers(together), [16, undefined]);
});

test('a thousand workers that were killed one after another leave one sum', async () => {
  const together = new MetricsTogether();
  let before = 0;
  for (let i = 1; i <= 1_000; i++) {
    const worker = {};
    together.take(worker, told(i, 1));
    together.leave(worker);
    const [accepted] = await numbers(together);
    assert.ok(accepted! >= before);
    before = accepted!;
  }
  assert.equal(before, 500_500);
});

test('rows are put together by their labels, in whatever order and on whatever page they come', async () => {
  const rows = (...names: readonly string[]) =>
    tableOf(names.map((name, i) => ({ labels: [name, '/*'], values: [1, i] })));
  const page = (...names: readonly string[]): MetricsReport[] => told(0, 0, 0, { routes: rows(...names) });
  const together = new MetricsTogether();
  together.take({}, [...page('a', 'b'), ...page('d')]);
  together.take({}, page('b', 'c', 'a'));
  assert.deepEqual(tableFrom((await together.sums()).counters.routes), [
    ['a /*', 2, 2],
    ['b /*', 2, 1],
    ['d /*', 1, 0],
    ['c /*', 1, 1],
  ]);
});

test('of workers that are gone, what the configuration does not name any more is forgotten', async () => {
  const together = new MetricsTogether();
  const routes = tableOf([
    { labels: ['(none)', '(none)'], values: [1] },
    { labels: ['a', '/*'], values: [2] },
    { labels: ['b', '/*'], values: [3] },
  ]);
  const targets = tableOf([
    { labels: ['http://x:1'], values: [4] },
    { labels: ['http://y:1'], values: [5] },
  ]);
  const worker = {};
  together.take(worker, told(6, 0, 0, { routes, targets }));
  together.leave(worker);
  together.take({}, told(0, 0));
  together.keepOnly({ hasRoute: (site) => site !== 'b', hasTarget: (name) => name === 'http://y:1' });
  const { counters } = await together.sums();
  assert.deepEqual(tableFrom(counters.routes), [
    ['(none) (none)', 1],
    ['a /*', 2],
  ]);
  assert.deepEqual(tableFrom(counters.targets), [['http://y:1', 5]]);
  assert.deepEqual(tableFrom(counters.accepted), [['https', 6]]);
});

test('what has been put together is not changed by what comes later', async () => {
  const [together, worker] = [new MetricsTogether(), {}];
  together.take(worker, told(10, 3));
  const sums = await together.sums();
  together.take(worker, told(20, 3));
  await together.sums();
  assert.deepEqual(tableFrom(sums.counters.accepted), [['https', 10]]);
});
