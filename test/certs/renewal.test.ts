import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { attemptAllowedAt, needsRenewal, nextAttemptAt, renewalDueAt } from '../../src/certs/renewal.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 24);

const facts = (lifetimeMs: number) => ({
  names: ['a.example'],
  notBefore: start,
  notAfter: start + lifetimeMs,
  recognized: true,
});

suite('needsRenewal', () => {
  for (const [lifetime, lifetimeMs, dueMs] of [
    ['90 days', 90 * day, 60 * day],
    ['64 days', 64 * day, (64 * day * 2) / 3],
    ['45 days', 45 * day, 30 * day],
    ['160 hours', 160 * hour, 80 * hour],
    ['one hour', hour, 30 * minute],
  ] as const) {
    test(`a certificate of ${lifetime} waits until its share of life is over, then is renewed`, () => {
      const at = start + Math.floor(dueMs);
      assert.deepEqual(needsRenewal(facts(lifetimeMs), ['a.example'], at - 1), {
        action: 'wait',
        at,
        reason: 'lifetime',
      });
      assert.deepEqual(needsRenewal(facts(lifetimeMs), ['a.example'], at), { action: 'renew', at, reason: 'lifetime' });
    });
  }

  test('without a certificate one is obtained at once', () => {
    assert.deepEqual(needsRenewal(null, ['a.example'], start), { action: 'renew', at: start, reason: 'missing' });
  });

  test('other names, or an issuer that does not know it, are reasons to renew at once', () => {
    const now = start + day;
    assert.equal(needsRenewal(facts(90 * day), ['b.example'], now).reason, 'names changed');
    assert.equal(needsRenewal(facts(90 * day), ['a.example', 'b.example'], now).reason, 'names changed');
    assert.equal(needsRenewal({ ...facts(90 * day), recognized: false }, ['a.example'], now).reason, 'issuer changed');
  });

  test('the reason says how urgent it is', () => {
    const reasonAt = (now: number): string => needsRenewal(facts(100 * day), ['a.example'], now).reason;
    assert.equal(reasonAt(start + 94 * day), 'lifetime');
    assert.equal(reasonAt(start + 95 * day + 1), 'emergency');
    assert.equal(reasonAt(start + 100 * day), 'expired');
  });

  test('whatever the lifetime and the clock: renewal comes before the end, and due means renew', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 400 * day }),
        fc.integer({ min: -day, max: 500 * day }),
        (lifetimeMs, agoMs) => {
          const certificate = facts(lifetimeMs);
          const now = start + agoMs;
          const decision = needsRenewal(certificate, ['a.example'], now);
          assert.ok(decision.at < certificate.notAfter && decision.at >= certificate.notBefore);
          assert.equal(decision.action, now >= renewalDueAt(certificate) ? 'renew' : 'wait');
          if (decision.action === 'wait') assert.ok(decision.at > now);
        },
      ),
    );
  });

  test('a certificate that ends before it begins is renewed', () => {
    assert.equal(needsRenewal({ ...facts(-day) }, ['a.example'], start).action, 'renew');
  });
});

suite('nextAttemptAt', () => {
  const after = (failures: number, more = {}, random = 0): number =>
    nextAttemptAt({ failures, retryAfterMs: null, judged: true, ...more }, start, random) - start;

  test('failures are repeated after 1, 10 and 100 minutes, then daily', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 1000].map((failures) => after(failures)),
      [minute, 10 * minute, 100 * minute, day, day, day],
    );
  });

  test('jitter makes it later by up to a tenth, never sooner', () => {
    assert.equal(after(3, {}, 0.5), 105 * minute);
    assert.ok(after(3, {}, 0.999_999) <= 110 * minute);
  });

  test('what the CA asks for wins over the schedule, longer or shorter, within reason', () => {
    assert.equal(after(1, { retryAfterMs: 3 * hour }), 3 * hour);
    assert.equal(after(4, { retryAfterMs: 2 * minute }), 2 * minute);
    assert.equal(after(1, { retryAfterMs: 0 }), minute);
    assert.equal(after(1, { retryAfterMs: 100 * 365 * day }), 7 * day);
  });

  test('failures that the CA never saw are repeated within an hour', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((failures) => after(failures, { judged: false })),
      [minute, 10 * minute, hour, hour],
    );
  });
});

suite('attemptAllowedAt', () => {
  const nothing = { obtainedAt: null, lastError: null, nextAttemptAt: null };

  test('without a failure the issuer may be asked, but not right after a success', () => {
    assert.equal(attemptAllowedAt(nothing, start), 0);
    assert.equal(attemptAllowedAt({ ...nothing, obtainedAt: start }, start), start + 5 * minute);
  });

  test('after a failure it waits as decided then', () => {
    const memory = { obtainedAt: null, lastError: { at: start - hour }, nextAttemptAt: start + hour };
    assert.equal(attemptAllowedAt(memory, start), start + hour);
  });

  test('what a wrong clock remembered does not count', () => {
    const future = { obtainedAt: null, lastError: { at: start + day }, nextAttemptAt: start + 2 * day };
    const absurd = { obtainedAt: null, lastError: { at: start - hour }, nextAttemptAt: start + 1000 * day };
    assert.equal(attemptAllowedAt(future, start), 0);
    assert.equal(attemptAllowedAt(absurd, start), 0);
    assert.equal(attemptAllowedAt({ ...nothing, obtainedAt: start + day }, start), 0);
  });
});
