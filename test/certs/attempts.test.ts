import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { attemptAllowedAt, type Failure, lastObtainedAt, nextAttemptAt } from '../../src/certs/renewal/attempts.ts';
import { runs } from '../support/property-runs.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 24);

/** What is left of a certificate of 100 days. */
const left = (leftMs: number): Failure['certificate'] => ({
  notBefore: start + leftMs - 100 * day,
  notAfter: start + leftMs,
});

suite('nextAttemptAt', () => {
  const after = (failures: number, more: Partial<Failure> = {}, random = 0): number => {
    const plain = { failingSince: start, retryAfterMs: null, judged: true, certificate: null, mayHurry: true };
    return nextAttemptAt({ ...plain, failures, ...more }, start, random) - start;
  };

  test('failures are repeated after 1, 10 and 100 minutes, then daily', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 1000].map((failures) => after(failures)),
      [minute, minute, 10 * minute, 100 * minute, day, day, day],
    );
  });

  test('jitter makes it later by up to a tenth, never sooner', () => {
    assert.equal(after(3, {}, 0.5), 105 * minute);
    assert.ok(after(3, {}, 0.999_999) <= 110 * minute);
  });

  test('hourly while under a quarter of the lifetime is left', () => {
    assert.equal(after(4, { certificate: left(25 * day) }), day);
    const short = { certificate: left(25 * day - 1) };
    assert.deepEqual(
      [1, 2, 3, 4, 50].map((failures) => after(failures, short)),
      [minute, 10 * minute, hour, hour, hour],
    );
    assert.equal(after(9, { certificate: left(-day) }), hour, 'an expired one too');
  });

  test('not hourly when the budget does not allow it, and no more when the fault has lasted a week', () => {
    const short = { certificate: left(3 * day) };
    assert.equal(after(9, { ...short, mayHurry: false }), day);
    assert.equal(after(9, { ...short, failingSince: start - 7 * day }), hour);
    assert.equal(after(9, { ...short, failingSince: start - 7 * day - 1 }), day);
  });

  test('what the CA asks for wins over the schedule, longer or shorter, within reason', () => {
    assert.equal(after(1, { retryAfterMs: 3 * hour }), 3 * hour);
    assert.equal(after(4, { retryAfterMs: 2 * minute }), 2 * minute);
    assert.equal(after(1, { retryAfterMs: 0 }), minute);
    assert.equal(after(1, { retryAfterMs: 100 * 365 * day }), 7 * day);
    assert.equal(after(9, { retryAfterMs: 30 * hour, certificate: left(20 * day), judged: false }), 30 * hour);
  });

  test('but no CA makes a certificate wait until it expires: an hour, or half of what is left', () => {
    assert.equal(after(1, { retryAfterMs: 7 * day, certificate: left(4 * day) }), 2 * day);
    assert.equal(after(1, { retryAfterMs: 7 * day, certificate: left(90 * minute) }), hour);
    assert.equal(after(1, { retryAfterMs: 30 * minute, certificate: left(40 * minute) }), 30 * minute);
    assert.equal(after(1, { retryAfterMs: 7 * day, certificate: left(-1) }), 7 * day);
  });

  test('failures that the CA never saw are repeated within an hour', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((failures) => after(failures, { judged: false, failingSince: start - 30 * day })),
      [minute, 10 * minute, hour, hour],
    );
  });

  test('whatever failed: not before a minute, not after a week and its tenth, and in whole milliseconds', () => {
    fc.assert(
      fc.property(
        fc.record({
          failures: fc.nat(),
          failingSince: fc.integer({ min: start - 1000 * day, max: start + 1000 * day }),
          retryAfterMs: fc.option(fc.oneof(fc.double(), fc.integer())),
          judged: fc.boolean(),
          certificate: fc.option(fc.integer({ min: -100 * day, max: 100 * day }).map((each) => left(each)!)),
          mayHurry: fc.boolean(),
        }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failure, random) => {
          const delayMs = nextAttemptAt(failure, start, random) - start;
          assert.ok(delayMs >= minute && delayMs <= 7.7 * day && Number.isInteger(delayMs), `${delayMs}`);
        },
      ),
      runs(300),
    );
  });
});

suite('attemptAllowedAt', () => {
  const nothing = { obtainedAt: null, lastError: null, nextAttemptAt: null };

  test('without a failure the issuer may be asked, but not right after a success', () => {
    assert.equal(attemptAllowedAt(nothing, start), 0);
    assert.equal(attemptAllowedAt({ ...nothing, obtainedAt: start }, start), start + 5 * minute);
  });

  test('a window of the CA renews a certificate once an hour at most', () => {
    for (const reason of ['window', 'revoked'] as const)
      assert.equal(attemptAllowedAt({ ...nothing, obtainedAt: start }, start, reason), start + hour);
    assert.equal(attemptAllowedAt({ ...nothing, obtainedAt: start }, start, 'names changed'), start + 5 * minute);
  });

  test('after a failure it waits as decided then', () => {
    const memory = { obtainedAt: null, lastError: { at: start - hour }, nextAttemptAt: start + hour };
    assert.equal(attemptAllowedAt(memory, start), start + hour);
  });

  test('a success a moment ago counts also where an older failure is over', () => {
    const over = { lastError: { at: 0 }, nextAttemptAt: 1, obtainedAt: 10 * day };
    assert.ok(attemptAllowedAt(over, 10 * day) > 10 * day);
  });

  test('the last success is that of any issuer, unless it lies in the future', () => {
    const at = (obtainedAt: number | null) => ({ state: { obtainedAt } });
    assert.equal(lastObtainedAt([at(5), at(null), at(99)], 10), 5);
    assert.equal(lastObtainedAt([at(null)], 10), null);
  });

  test('what a wrong clock remembered does not count', () => {
    const future = { obtainedAt: null, lastError: { at: start + day }, nextAttemptAt: start + 2 * day };
    const absurd = { obtainedAt: null, lastError: { at: start - hour }, nextAttemptAt: start + 1000 * day };
    assert.equal(attemptAllowedAt(future, start), 0);
    assert.equal(attemptAllowedAt(absurd, start), 0);
    assert.equal(attemptAllowedAt({ ...nothing, obtainedAt: start + day }, start), 0);
  });
});
