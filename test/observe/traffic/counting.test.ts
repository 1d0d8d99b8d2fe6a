// The parts of the traffic history: steps, latencies, errors. And how those of several processes are one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addedLatencies, LatencyHistogram, latencyOf } from '../../../src/observe/traffic/latency-histogram.ts';
import { errorsTogether, MAX_ERRORS, RecentErrors } from '../../../src/observe/traffic/recent-errors.ts';
import { STEP_MS, STEPS, StepRing } from '../../../src/observe/traffic/step-ring.ts';
import {
  MAX_ROWS,
  NO_STEPS,
  sum,
  type TrafficReport,
  trafficTogether,
  worstFirst,
} from '../../../src/observe/traffic/traffic-report.ts';

const FIRST = 348_000_000;

describe('steps', () => {
  it('hold the last five minutes, the newest last, and forget what is older', () => {
    const ring = new StepRing();
    assert.deepEqual(ring.sums(FIRST), { requests: 0, errors: 0 });
    ring.count(FIRST, false);
    ring.count(FIRST, true);
    ring.count(FIRST + 2, false);
    const { requests, errors } = ring.read(FIRST + 3);
    assert.equal(requests.length, STEPS);
    assert.deepEqual(requests.slice(-4), [2, 0, 1, 0]);
    assert.deepEqual(errors.slice(-4), [1, 0, 0, 0]);
    assert.deepEqual(ring.sums(FIRST + 3), { requests: 3, errors: 1 });
    assert.deepEqual(ring.read(FIRST + STEPS - 1).requests.slice(0, 3), [2, 0, 1]);
    assert.deepEqual(ring.read(FIRST + STEPS).requests.slice(0, 3), [0, 1, 0]);
    assert.deepEqual(ring.sums(FIRST + STEPS + 2), { requests: 0, errors: 0 });
    assert.deepEqual(ring.read(FIRST + STEPS + 2).requests, NO_STEPS);
  });

  it('are empty after a pause of any length', () => {
    for (const pause of [STEPS - 1, STEPS, STEPS + 1, 3 * STEPS + 7]) {
      const ring = new StepRing();
      for (let i = 0; i < STEPS; i++) ring.count(FIRST + i, true);
      const now = FIRST + STEPS - 1 + pause;
      ring.count(now, false);
      const { requests, errors } = ring.read(now);
      assert.deepEqual([sum(requests), sum(errors)], pause < STEPS ? [2, 1] : [1, 0], `${pause}`);
      assert.deepEqual(ring.sums(now), { requests: sum(requests), errors: sum(errors) });
    }
  });
});

describe('latencies', () => {
  it('are told within an eighth, whatever they are', () => {
    for (const ms of [0.5, 1, 3.3, 12, 87, 450, 1_999, 30_000, 119_000]) {
      const histogram = new LatencyHistogram();
      histogram.add(ms, 0);
      const { p50Ms } = latencyOf(histogram.read(0))!;
      assert.ok(Math.abs(p50Ms - ms) <= ms / 8, `${ms}: ${p50Ms}`);
    }
    const histogram = new LatencyHistogram();
    for (const ms of [0, 0.01, 1e9]) histogram.add(ms, 0);
    assert.deepEqual(histogram.read(0), [0, 2, 76, 1]);
  });

  it('have percentiles', () => {
    const histogram = new LatencyHistogram();
    for (let i = 0; i < 90; i++) histogram.add(10, 0);
    for (let i = 0; i < 10; i++) histogram.add(1_000, 0);
    const { count, p50Ms, p95Ms, p99Ms } = latencyOf(histogram.read(0))!;
    assert.deepEqual(
      [count, Math.round(p50Ms / 10), Math.round(p95Ms / 1_000), Math.round(p99Ms / 1_000)],
      [100, 1, 1, 1],
    );
  });

  it('are those of this minute and the last', () => {
    const histogram = new LatencyHistogram();
    histogram.add(5, 59_000);
    assert.equal(latencyOf(histogram.read(119_000))?.count, 1);
    histogram.add(5, 119_000);
    assert.equal(latencyOf(histogram.read(119_999))?.count, 2);
    assert.equal(latencyOf(histogram.read(120_000))?.count, 1);
    assert.equal(latencyOf(histogram.read(600_000)), null);
  });

  it('of several processes are added', () => {
    assert.deepEqual(addedLatencies([1, 2, 9, 1], [0, 1, 9, 4]), [0, 1, 1, 2, 9, 5]);
  });
});

describe('errors', () => {
  const words = { site: 'a.example', route: '/*', target: 'http://127.0.0.1:3000', code: 'connect_failed' };

  it('that repeat are one entry with a count, the newest first', () => {
    const errors = new RecentErrors();
    errors.add({ ...words, message: 'refused' }, 10);
    errors.add({ ...words, message: 'reset' }, 20);
    errors.add({ ...words, message: 'refused' }, 30);
    assert.deepEqual(errors.read(), [
      { ...words, message: 'refused', count: 2, firstAt: 10, lastAt: 30 },
      { ...words, message: 'reset', count: 1, firstAt: 20, lastAt: 20 },
    ]);
  });

  it('begin anew after ten quiet minutes: an old one of the same words says nothing of since when', () => {
    const errors = new RecentErrors();
    for (const at of [0, 599_000, 1_198_000, 1_799_000]) errors.add({ ...words, message: 'refused' }, at);
    assert.deepEqual(errors.read(), [
      { ...words, message: 'refused', count: 1, firstAt: 1_799_000, lastAt: 1_799_000 },
    ]);
  });

  it('are a hundred at most, those that came last; each is short and safe to print', () => {
    const errors = new RecentErrors();
    for (let i = 0; i < 3 * MAX_ERRORS; i++) errors.add({ ...words, message: `no ${i}` }, i);
    assert.equal(errors.read().length, MAX_ERRORS);
    assert.equal(errors.read()[0]!.message, `no ${3 * MAX_ERRORS - 1}`);
    errors.add({ ...words, message: `\u001b[31m${'x'.repeat(10_000)}` }, 1_000);
    const { message } = errors.read()[0]!;
    assert.equal(message.length, 300);
    assert.match(message, /^\\u001b\[31mx+…$/);
  });

  it('of several processes are one list, by time', () => {
    const entry = { ...words, message: 'refused', count: 2, firstAt: 10, lastAt: 30 };
    const other = { ...entry, message: 'reset', lastAt: 25 };
    assert.deepEqual(errorsTogether([[entry, other], [{ ...entry, count: 3, firstAt: 5, lastAt: 20 }]]), [
      { ...entry, count: 5, firstAt: 5 },
      other,
    ]);
  });
});

describe('reports of several processes', () => {
  const steps = (...last: number[]): number[] => [...NO_STEPS, ...last].slice(-STEPS);
  const traffic = (requests: number[], errors: number[]) => ({
    requests: sum(requests),
    answers: [0, 0, sum(requests) - sum(errors), 0, 0, sum(errors)],
    ownErrors: sum(errors),
    targetErrors: 0,
    requestSteps: steps(...requests),
    errorSteps: steps(...errors),
  });
  const report = (stepAt: number, requests: number[], errors: number[], target: string): TrafficReport => ({
    stepAt,
    all: traffic(requests, errors),
    sites: [{ site: 'a.example', ...traffic(requests, errors) }],
    targets: [{ target, latencies: [4, 1], answeredAt: stepAt }],
    errors: [],
  });

  it('are added step by step of the wall clock', () => {
    const early = report(FIRST * STEP_MS, [1, 2, 3], [0, 1, 0], 'http://a:1');
    const late = report((FIRST + 1) * STEP_MS, [10, 20], [5, 0], 'http://a:1');
    const together = trafficTogether([early, null, late])!;
    assert.equal(together.stepAt, late.stepAt);
    assert.deepEqual(together.sites, [{ site: 'a.example', ...traffic([1, 2, 13, 20], [0, 1, 5, 0]) }]);
    assert.deepEqual(together.all.requestSteps, steps(1, 2, 13, 20));
    assert.deepEqual(together.targets, [{ target: 'http://a:1', latencies: [4, 2], answeredAt: late.stepAt }]);
    assert.equal(trafficTogether([null, early]), early);
    assert.equal(trafficTogether([null]), null);
  });

  it('have the worst sites first, and not more than anybody reads', () => {
    const site = (name: string, requests: number, errors: number) => ({ name, requests, errors });
    const sites = [site('idle', 1, 0), site('busy', 90, 0), site('broken', 5, 5)];
    assert.deepEqual(
      worstFirst(sites).map(({ name }) => name),
      ['broken', 'busy', 'idle'],
    );
    assert.equal(worstFirst(Array(MAX_ROWS + 5).fill(site('x', 1, 0))).length, MAX_ROWS);
  });
});
