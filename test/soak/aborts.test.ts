// The short form of aborts.ts.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AbortReport, abortMany, WARM_UP } from './aborts.ts';

const COUNT = 3_000;
/** 3,000 times a leaked promise would be more. */
const MOST_GROWTH_BYTES = 512 * 1024;

/** How much more is held after than before, in bytes. */
function growth({ before, after }: AbortReport): number {
  return Math.max(after.heapBytes - before.heapBytes, after.externalBytes - before.externalBytes);
}

function tell(t: TestContext, report: AbortReport): void {
  t.diagnostic(
    `${report.count} aborted in ${report.seconds.toFixed(1)} s, ${Math.round(growth(report) / 1024)} KiB more held`,
  );
}

test('thousands of aborted requests leave memory and handles as they were', async (t) => {
  const report = await abortMany(COUNT, WARM_UP);
  tell(t, report);
  assert.equal(report.faults, 0);
  assert.deepEqual(report.after.handles, report.before.handles);
  assert.ok(growth(report) < MOST_GROWTH_BYTES, `${growth(report)} bytes more are held`);
});

test('a leak of two kilobytes for a third as many would be seen', async (t) => {
  const leaked: unknown[] = [];
  const report = await abortMany(COUNT / 3, 0, () => void leaked.push(new Array(256).fill(leaked.length)));
  tell(t, report);
  assert.ok(growth(report) > MOST_GROWTH_BYTES, `${growth(report)} bytes`);
  assert.equal(leaked.length, COUNT / 3);
});
