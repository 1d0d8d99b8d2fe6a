// The soak in short: the traffic of `npm run soak` for some seconds, and its judgement. Reads /proc, so on Linux only.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it, test } from 'node:test';
import { soak } from './run.ts';
import { type Holding, judge } from './verdict.ts';

const OPTIONS = existsSync('/proc/self/fd') ? {} : { skip: 'there is no /proc on this machine to count open files in' };

test('mixed traffic is answered rightly and leaves memory and handles flat', OPTIONS, async (t) => {
  const { faults, verdict, exchanges } = await soak({ seconds: 9, warmUpSeconds: 4, rate: 100 });
  t.diagnostic(`${exchanges} exchanges`);
  for (const [what, figure] of Object.entries(verdict.figures)) t.diagnostic(`${what}: ${figure}`);
  assert.deepEqual(faults, []);
});

describe('the judgement of a soak', () => {
  const MIB = 1024 * 1024;
  const rest: Holding = { rss: 130 * MIB, heapUsed: 22 * MIB, external: 8 * MIB, files: 25, handles: 5, members: 0 };
  /** An hour of noise of 10 MiB around a line that rises by `perHour`. */
  const hour = (perHour: number): Holding[] =>
    Array.from({ length: 3_600 }, (_, second) => {
      const noise = ((second * 7_919) % 100) / 10;
      return { ...rest, rss: (150 + noise + (perHour * second) / 3_600) * MIB };
    });
  const faultsOf = (samples: readonly Holding[], after: Partial<Holding> = {}): readonly string[] =>
    judge({ samples, before: rest, after: { ...rest, ...after } }).faults;

  it('lets noise pass', () => {
    assert.deepEqual(faultsOf(hour(0)), []);
    assert.deepEqual(faultsOf(hour(20), { heapUsed: 24 * MIB, files: 24 }), []);
  });

  it('finds resident memory that creeps up', () => {
    assert.match(faultsOf(hour(100)).join(), /^resident memory grew by 5\d\.\d MiB/);
  });

  it('finds objects, buffers, files, handles and connections that stay', () => {
    const grown = { heapUsed: 27 * MIB, external: 13 * MIB, files: 26, handles: 6, members: 1 };
    for (const [what, value] of Object.entries(grown))
      assert.match(faultsOf(hour(0), { [what]: value }).join(), new RegExp(`^${what} at rest grew`));
  });

  it('does not take missing figures for good ones', () => {
    assert.ok(faultsOf([]).length > 0);
    assert.ok(faultsOf(hour(0), { heapUsed: Number.NaN }).length > 0);
  });
});
