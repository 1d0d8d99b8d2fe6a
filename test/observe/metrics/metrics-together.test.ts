import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableOf } from '../../../src/observe/metrics/figure-table.ts';
import {
  type MetricsCounters,
  type MetricsReport,
  NO_COUNTERS,
  reportsTogether,
} from '../../../src/observe/metrics/metrics-report.ts';
import { MetricsTogether } from '../../../src/observe/metrics/metrics-together.ts';

const one = (labels: readonly string[], ...values: number[]) => tableOf([{ labels, values }]);

/** As it comes from another process. */
function told(accepted: number, open: number, delay = 0, more: Partial<MetricsCounters> = {}): MetricsReport {
  return structuredClone({
    ...reportsTogether([]),
    counters: { ...NO_COUNTERS, accepted: one(['https'], accepted), ...more },
    gauges: { ...reportsTogether([]).gauges, open: one(['https'], open) },
    eventLoopDelays: one([], delay, 1, 2),
  });
}

const numbers = (together: MetricsTogether): readonly (number | undefined)[] => {
  const { counters, gauges } = together.report();
  return [counters.accepted.values[0], gauges.open.values[0]];
};

test('workers are put together: counters and gauges are summed, of delays the worst is told', () => {
  const together = new MetricsTogether();
  together.take({ pid: 1, startedAt: 1, metrics: told(10, 3, 7) });
  together.take({ pid: 2, startedAt: 1, metrics: told(5, 2, 4) });
  assert.deepEqual(numbers(together), [15, 5]);
  assert.deepEqual([...together.report().eventLoopDelays.values], [7, 1, 2]);
  together.take({ pid: 1, startedAt: 1, metrics: told(12, 1) });
  assert.deepEqual(numbers(together), [17, 3], 'a newer report takes the place of the one before');
});

test('a worker that is killed and replaced takes nothing back of what it has counted', () => {
  const together = new MetricsTogether();
  together.take({ pid: 1, startedAt: 1, metrics: told(10, 3) });
  together.take({ pid: 2, startedAt: 1, metrics: told(5, 2) });
  together.leave({ pid: 1, startedAt: 1 });
  assert.deepEqual(numbers(together), [15, 2], 'its connections are gone with it');
  together.leave({ pid: 1, startedAt: 1 });
  assert.deepEqual(numbers(together), [15, 2], 'it is gone once');
  together.take({ pid: 3, startedAt: 9, metrics: told(1, 1) });
  assert.deepEqual(numbers(together), [16, 3]);
  together.take({ pid: 1, startedAt: 1, metrics: told(11, 3) });
  assert.deepEqual(numbers(together), [16, 3], 'what comes after its end is too late');
  together.leave({ pid: 2, startedAt: 1 });
  together.leave({ pid: 3, startedAt: 9 });
  assert.deepEqual([together.report().counters.accepted.values[0], together.report().gauges.open.labels], [16, []]);
});

test('a process id that comes again belongs to another worker', () => {
  const together = new MetricsTogether();
  together.take({ pid: 1, startedAt: 1, metrics: told(10, 3) });
  together.take({ pid: 1, startedAt: 2, metrics: told(1, 1) });
  assert.deepEqual(numbers(together), [11, 1]);
});

test('a thousand workers that were killed one after another leave one sum', () => {
  const together = new MetricsTogether();
  let before = 0;
  for (let pid = 1; pid <= 1_000; pid++) {
    together.take({ pid, startedAt: pid, metrics: told(pid, 1) });
    together.leave({ pid, startedAt: pid });
    const [accepted] = numbers(together);
    assert.ok(accepted! >= before);
    before = accepted!;
  }
  assert.equal(before, 500_500);
});

test('rows are put together by their labels, in whatever order they come', () => {
  const rows = (...names: readonly string[]) =>
    tableOf(names.map((name, i) => ({ labels: [name, '/*'], values: [1, i] })));
  const together = new MetricsTogether();
  together.take({ pid: 1, startedAt: 1, metrics: told(0, 0, 0, { routes: rows('a', 'b') }) });
  together.take({ pid: 2, startedAt: 1, metrics: told(0, 0, 0, { routes: rows('b', 'c', 'a') }) });
  const { labels, values } = together.report().counters.routes;
  assert.deepEqual(labels, [
    ['a', '/*'],
    ['b', '/*'],
    ['c', '/*'],
  ]);
  assert.deepEqual([...values], [2, 2, 2, 1, 1, 1]);
});

test('of workers that are gone, what the configuration does not name any more is forgotten', () => {
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
  together.take({ pid: 1, startedAt: 1, metrics: told(6, 0, 0, { routes, targets }) });
  together.leave({ pid: 1, startedAt: 1 });
  together.take({ pid: 2, startedAt: 1, metrics: told(0, 0) });
  together.keepOnly({ hasRoute: (site) => site !== 'b', hasTarget: (name) => name === 'http://y:1' });
  const { counters } = together.report();
  assert.deepEqual(counters.routes.labels, [
    ['(none)', '(none)'],
    ['a', '/*'],
  ]);
  assert.deepEqual([...counters.routes.values], [1, 2]);
  assert.deepEqual([counters.targets.labels, [...counters.targets.values]], [[['http://y:1']], [5]]);
  assert.equal(counters.accepted.values[0], 6);
});
