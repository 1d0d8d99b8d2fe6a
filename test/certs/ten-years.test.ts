// Ten years of virtual time with everything that goes wrong, driven by the decisions alone (issue 4, "Deciding").
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { limitsOf } from '../../src/certs/renewal/budget.ts';
import type { Wanted } from '../support/virtual-keeper.ts';
import { simulateYears, type YearsReport } from '../support/virtual-years.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const from = Date.UTC(2026, 10, 24);
const limits = limitsOf('https://acme-v02.api.letsencrypt.org/directory');
// Hundreds of thousands of refusals, none of which is read.
Error.stackTraceLimit = 0;
const { YEARS_SEED = '1' } = process.env;
const seed = Number(YEARS_SEED);

/** Let's Encrypt's plan: post/2025-12-02-from-90-to-45. */
function lifetimeOf(profile: string | null, at: number): number {
  if (profile === 'shortlived') return 160 * hour;
  if (profile === 'tlsserver') return 45 * day;
  return (at < Date.UTC(2027, 1, 10) ? 90 : at < Date.UTC(2028, 1, 16) ? 64 : 45) * day;
}

function wanted(count: number, profile: string | null, namesOf: (index: number) => string[]): Wanted[] {
  return Array.from({ length: count }, (_, index) => ({
    names: namesOf(index),
    keyType: 'p256' as const,
    profile,
    configured: true,
  }));
}

const plain = { seed, from, limits, lifetimeOf, troubleMs: null, windowMoodMs: null, wrongClockMs: null };

/** What must hold whatever happens. */
function assertKept({ ca, expired, shortestMs, shortestByWindowMs }: YearsReport): void {
  assert.deepEqual(ca.exceeded.slice(0, 5), [], `${ca.exceeded.length} times a limit exceeded, YEARS_SEED=${seed}`);
  assert.deepEqual(expired.slice(0, 5), [], `${expired.length} certificates expired, YEARS_SEED=${seed}`);
  assert.ok(shortestMs >= 5 * minute, `two certificates within ${shortestMs} ms, YEARS_SEED=${seed}`);
  assert.ok(shortestByWindowMs >= hour, `two by window within ${shortestByWindowMs} ms, YEARS_SEED=${seed}`);
}

/** That it was no fair-weather test. */
function assertEventful({ reasons, keeper }: YearsReport): void {
  for (const reason of ['missing', 'window', 'lifetime', 'revoked', 'requested', 'key type changed'] as const)
    assert.ok((reasons.get(reason) ?? 0) > 0, `nothing was renewed for: ${reason}`);
  assert.ok(keeper.windowsRefused > 0 && keeper.failed > 100, `${keeper.windowsRefused}, ${keeper.failed}`);
}

suite('ten years', () => {
  const to = from + 10 * 365.25 * day;

  test('certificates of 90, 64 and 45 days, in outages of up to 11 days, never expire and never exceed a limit', () => {
    const names = (index: number): string[] =>
      Array.from({ length: 1 + (index % 3) }, (_, each) => `${'abc'[each]}${index}.domain${index % 10}.com`);
    const report = simulateYears({
      ...plain,
      to,
      wanted: [...wanted(24, null, names), ...wanted(6, 'tlsserver', (index) => [`t${index}.domain0.com`])],
      troubleMs: [11 * day, 16 * day], // 45 days leave 15
      windowMoodMs: 30 * day,
      wrongClockMs: 2 * day,
    });
    assertKept(report);
    assertEventful(report);
  });

  test('certificates of 160 hours, in outages of up to two days, never expire and never exceed a limit', () => {
    const names = (index: number): string[] => (index % 2 === 0 ? [`203.0.114.${index}`] : [`s${index}.example.com`]);
    const report = simulateYears({
      ...plain,
      to,
      wanted: wanted(12, 'shortlived', names),
      troubleMs: [48 * hour, 5 * day], // 160 hours leave 80
      windowMoodMs: 5 * day,
      wrongClockMs: 12 * hour,
    });
    assertKept(report);
    assertEventful(report);
  });
});

test('400 names at once, 50 of them under one domain, are certified as fast as the limits allow, and no faster', () => {
  const names = (index: number): string[] => [index % 8 === 0 ? `a${index}.shared.com` : `www.own${index}.com`];
  const report = simulateYears({ ...plain, to: from + 10 * day, wanted: wanted(400, null, names) });
  assertKept(report);
  assert.equal(new Set(report.obtained.map(({ index }) => index)).size, 400);
  const firsts = report.obtained.filter(({ reason }) => reason === 'missing').map(({ at }) => (at - from) / hour);
  // 150 at once, and one every 36 seconds; 35 for the domain, and one every 202 minutes.
  assert.ok(firsts[349]! > 1.9 && firsts[349]! < 4, `${firsts[349]}`);
  assert.ok(firsts[399]! > 47 && firsts[399]! < 60, `${firsts[399]}`);
  const waited = [...report.keeper.waits.keys()].sort();
  assert.deepEqual(waited, ['certificates for NAME', 'new orders of the account']);
  assert.ok(report.largestBudget < 50_000, `${report.largestBudget}`);
});

test('a private CA without limits whose windows lie always in the past is asked once an hour, not in a loop', () => {
  const report = simulateYears({
    ...plain,
    to: from + 30 * day,
    limits: null,
    wanted: wanted(3, null, (index) => [`p${index}.internal`]),
    windows: 'past',
  });
  assertKept(report);
  assert.ok(report.obtained.length <= 3 * 30 * 24 && report.obtained.length > 100, `${report.obtained.length}`);
});

test('the same seed gives the same years', () => {
  const once = (): string => {
    const few = wanted(3, 'shortlived', (index) => [`s${index}.example.com`]);
    const troubleMs = [48 * hour, 5 * day] as const;
    const to = from + 200 * day;
    return simulateYears({ ...plain, to, wanted: few, troubleMs, windowMoodMs: 5 * day, wrongClockMs: hour }).digest;
  };
  assert.equal(once(), once());
});
