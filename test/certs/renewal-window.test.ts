import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { RenewalInfo } from '../../src/certs/issuer.ts';
import {
  adoptRenewalInfo,
  checkDueAt,
  isOpen,
  isSane,
  postponeCheck,
  type RenewalWindow,
} from '../../src/certs/renewal/renewal-window.ts';
import { runs } from '../support/property-runs.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;
const start = Date.UTC(2026, 10, 24);
const certificate = { notBefore: start, notAfter: start + 90 * day, id: 'aki.serial' };

const told = (from: number, to: number, more: Partial<RenewalInfo> = {}): RenewalInfo => ({
  start: from,
  end: to,
  explanationUrl: null,
  retryAfterMs: null,
  ...more,
});
const plain = told(start + 59 * day, start + 61 * day);
const half = (): number => 0.5;

/** Adopted at the start, the moment in the middle. */
const adopt = (info: RenewalInfo, previous: RenewalWindow | null = null, random = half): RenewalWindow =>
  adoptRenewalInfo(previous, info, certificate, start, random);

suite('adoptRenewalInfo', () => {
  test('chooses one moment inside, and remembers whose window it is and when to ask again', () => {
    const explanationUrl = 'https://ca.example/why';
    assert.deepEqual(adopt({ ...plain, explanationUrl }), {
      start: plain.start,
      end: plain.end,
      at: start + 60 * day,
      checkedAt: start,
      nextCheckAt: start + 6.3 * hour,
      explanationUrl,
      certificateId: 'aki.serial',
    });
  });

  test('keeps the moment while start and end are unchanged, and only then', () => {
    const first = adopt(plain, null, () => 0.1);
    const later = adoptRenewalInfo(first, plain, certificate, start + day, half);
    assert.deepEqual([later.at, later.checkedAt], [first.at, start + day]);
    assert.notEqual(adopt({ ...plain, end: plain.end + 1 }, first).at, first.at);
    assert.notEqual(adopt(plain, { ...first, certificateId: 'another' }).at, first.at);
    assert.equal(adopt(plain, { ...first, at: start }).at, start + 60 * day, 'a stored moment outside');
  });

  test('moments are spread over the whole window', () => {
    const moments = Array.from({ length: 100 }, (_, index) => adopt(plain, null, () => index / 100).at);
    assert.equal(moments[0], plain.start);
    assert.equal(new Set(moments).size, 100);
    assert.ok(Math.max(...moments) <= plain.end);
  });

  test('asks again at Retry-After, from a minute to a day, later by jitter', () => {
    const next = (retryAfterMs: number | null, random = (): number => 0): number =>
      adopt({ ...plain, retryAfterMs }, null, random).nextCheckAt - start;
    assert.deepEqual(
      [0, 5_000, 2 * hour, 20 * hour, 100 * year, Number.POSITIVE_INFINITY].map((each) => next(each)),
      [minute, minute, 2 * hour, 20 * hour, day, day],
    );
    assert.equal(next(hour, half), 1.05 * hour);
    assert.equal(next(Number.NaN), 6 * hour);
  });

  test('without a Retry-After it asks more than twice a day, whatever the jitter', () => {
    assert.ok(adopt(plain, null, () => 0.999).nextCheckAt - start < 12 * hour);
  });

  for (const [name, info, flaw] of [
    ['malformed', told(Number.NaN, start + day), /NaN to .*: one of them is no date$/],
    ['endless', told(start + day, Number.POSITIVE_INFINITY), /one of them is no date$/],
    ['reversed', told(start + 2 * day, start + day), /2026-11-26.* to 2026-11-25.*: it ends before it starts$/],
    ['empty', told(start + day, start + day), /it ends before it starts$/],
    [
      '100 years ahead',
      told(start + 100 * year, start + 101 * year),
      /it reaches beyond the end of the certificate \(2027-02-22/,
    ],
    [
      '100 years ago',
      told(start - 100 * year, start - 99 * year),
      /it starts before the certificate begins \(2026-11-24/,
    ],
    ['of 100 years', told(start + day, start + 100 * year), /it reaches beyond the end of the certificate/],
    ['beyond all dates', told(1e300, 2e300), /1e\+300 to 2e\+300: it reaches beyond the end of the certificate/],
  ] as const)
    test(`a window that is ${name} is refused with an error that says so`, () => {
      assert.throws(
        () => adopt(info),
        (error: Error & { code: string; source: string }) => {
          assert.match(error.message, /^cannot use the renewal window of the CA, /);
          assert.match(error.message, flaw);
          assert.deepEqual([error.code, error.source], ['renewal_info_invalid', 'issuer']);
          return true;
        },
      );
    });

  test('a window of the past is taken: so a CA says that it revoked the certificate', () => {
    const now = start + 20 * minute;
    const info = told(now - hour, now - 30 * minute);
    const { at } = adoptRenewalInfo(null, info, certificate, now, half);
    assert.equal(at, now - 45 * minute);
  });

  test('whatever the CA says: a window that is taken is sane, and asked about again within a day', () => {
    const date = fc.oneof(fc.double(), fc.integer({ min: start - 200 * day, max: start + 200 * day }));
    fc.assert(
      fc.property(
        date,
        date,
        fc.option(fc.double()),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (a, b, wait, r) => {
          let window: RenewalWindow;
          try {
            window = adopt(told(a, b, { retryAfterMs: wait }), null, () => r);
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'renewal_info_invalid');
            return;
          }
          assert.ok(isSane(window, certificate));
          assert.ok(window.nextCheckAt >= start + minute && window.nextCheckAt <= start + 1.1 * day);
          assert.deepEqual(adopt(told(a, b), JSON.parse(JSON.stringify(window)), () => 0.4).at, window.at);
        },
      ),
      runs(300),
    );
  });
});

test('checks that fail are repeated later and later, up to the usual interval', () => {
  let check = postponeCheck(null, null, start, () => 0);
  const delays: number[] = [];
  for (let count = 0; count < 9; count++) {
    delays.push((check.nextCheckAt - check.checkedAt) / minute);
    check = postponeCheck(check, null, check.nextCheckAt, () => 0);
  }
  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 320, 360, 360]);
  assert.equal(postponeCheck(check, 2 * hour, start, () => 0).nextCheckAt, start + 2 * hour);
  assert.equal(postponeCheck({ ...check, failures: 1e9 }, null, start, () => 0).nextCheckAt, start + 6 * hour);
});

test('a check is due at the time remembered, or at once when a wrong clock wrote it or nothing is', () => {
  const window = adopt(plain);
  assert.equal(checkDueAt(null, start), 0);
  assert.equal(checkDueAt(window, start), window.nextCheckAt);
  assert.equal(checkDueAt(window, start - 1), 0);
  assert.equal(checkDueAt({ ...window, nextCheckAt: start + 2 * day }, start), 0);
  assert.equal(checkDueAt(postponeCheck(null, null, start, half), start + day), start + 5.25 * minute);
});

test('a window is open from its start until its end', () => {
  const window = adopt(plain);
  const { start: from, end: to } = plain;
  assert.deepEqual(
    [from - 1, from, to - 1, to].map((now) => isOpen(window, now)),
    [false, true, true, false],
  );
  assert.equal(isOpen(null, from), false);
});
