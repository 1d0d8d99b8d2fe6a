import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { leftRatio, needsRenewal, type RenewalFacts, renewalDueAt } from '../../src/certs/renewal/renewal.ts';
import type { RenewalWindow } from '../../src/certs/renewal/renewal-window.ts';
import { runs } from '../support/property-runs.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 24);

const facts = (lifetimeMs: number, more: Partial<RenewalFacts> = {}): RenewalFacts => ({
  names: ['a.example'],
  notBefore: start,
  notAfter: start + lifetimeMs,
  issuerId: 'one',
  keyType: 'p256',
  profile: null,
  recognized: true,
  compromised: false,
  window: null,
  requested: false,
  ...more,
});

const wish = {
  names: ['a.example'],
  keyType: 'p256',
  profiles: new Map([
    ['one', null],
    ['two', 'shortlived'],
  ]),
} as const;

/** Told at `checkedAt`; the moment is in its middle. */
const window = (from: number, to: number, more: Partial<RenewalWindow> = {}): RenewalWindow => ({
  start: from,
  end: to,
  at: Math.floor((from + to) / 2),
  checkedAt: start,
  nextCheckAt: start + 6 * hour,
  explanationUrl: null,
  certificateId: 'id',
  ...more,
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
      assert.deepEqual(needsRenewal(facts(lifetimeMs), wish, at - 1), { action: 'wait', at, reason: 'lifetime' });
      assert.deepEqual(needsRenewal(facts(lifetimeMs), wish, at), { action: 'renew', at, reason: 'lifetime' });
    });
  }

  test('without a certificate one is obtained at once', () => {
    assert.deepEqual(needsRenewal(null, wish, start), { action: 'renew', at: start, reason: 'missing' });
  });

  test('a name that is no longer configured is left alone, whatever there is of it', () => {
    for (const now of [start, start + 89 * day, start + 100 * day])
      assert.deepEqual(needsRenewal(facts(90 * day), null, now), { action: 'nothing', reason: 'orphaned' });
    assert.deepEqual(needsRenewal(null, null, start), { action: 'nothing', reason: 'orphaned' });
  });

  for (const [reason, change] of [
    ['key compromised', { compromised: true }],
    ['names changed', { names: ['b.example'] }],
    ['names changed', { names: ['a.example', 'b.example'] }],
    ['key type changed', { keyType: 'rsa2048' }],
    ['key type changed', { keyType: null }],
    ['profile changed', { profile: 'tlsserver' }],
    ['profile changed', { issuerId: 'two' }],
    ['issuer changed', { issuerId: 'three' }],
    ['issuer changed', { recognized: false }],
    ['requested', { requested: true }],
  ] as const)
    test(`${JSON.stringify(change)}: renewed at once, because: ${reason}`, () => {
      const now = start + day;
      const decision = needsRenewal(facts(90 * day, change), wish, now);
      assert.deepEqual(decision, { action: 'renew', at: now, reason });
    });

  test('a certificate of any issuer that is allowed stays, names in any order', () => {
    const other = facts(90 * day, { issuerId: 'two', profile: 'shortlived', names: ['b.example', 'a.example'] });
    const both = { ...wish, names: ['a.example', 'b.example'] };
    assert.equal(needsRenewal(other, both, start + day).action, 'wait');
  });

  test('the window of the CA comes before the rule of the lifetime, sooner or later', () => {
    const soon = window(start + 10 * day, start + 12 * day);
    const late = window(start + 70 * day, start + 72 * day);
    for (const each of [soon, late]) {
      const certificate = facts(90 * day, { window: each });
      const { at } = each;
      assert.deepEqual(needsRenewal(certificate, wish, at - 1), { action: 'wait', at, reason: 'window' });
      assert.deepEqual(needsRenewal(certificate, wish, at), { action: 'renew', at, reason: 'window' });
    }
  });

  test('a window that nobody can mean does not count', () => {
    const year = 365 * day;
    for (const absurd of [
      window(start + 100 * year, start + 101 * year),
      window(start - 100 * year, start - 99 * year),
      window(start + 20 * day, start + 10 * day),
      window(Number.NaN, start + 10 * day),
      window(start + 10 * day, start + 12 * day, { at: start + 13 * day }),
    ]) {
      const decision = needsRenewal(facts(90 * day, { window: absurd }), wish, start + day);
      assert.deepEqual(decision, { action: 'wait', at: start + 60 * day, reason: 'lifetime' });
    }
  });

  test('a window near the end, or across it, gives way to the emergency at one twentieth', () => {
    const certificate = facts(100 * day, { window: window(start + 97 * day, start + 101 * day) });
    const at = start + 95 * day;
    assert.deepEqual(needsRenewal(certificate, wish, at - 1), { action: 'wait', at, reason: 'lifetime' });
    assert.deepEqual(needsRenewal(certificate, wish, at), { action: 'renew', at, reason: 'emergency' });
  });

  test('a window that lay in the past when it was told means revoked; one that was missed does not', () => {
    const now = start + 20 * day;
    const moved = window(now - hour, now - 30 * minute, { checkedAt: now });
    const reasonOf = (each: RenewalWindow, at = now): string =>
      needsRenewal(facts(90 * day, { window: each }), wish, at).reason;
    assert.equal(reasonOf(moved), 'revoked');
    const planned = window(start + 59.1 * day, start + 60.9 * day, { checkedAt: start + 62 * day });
    assert.equal(reasonOf(planned, start + 62 * day), 'window');
    assert.equal(reasonOf({ ...planned, explanationUrl: 'https://ca.example/why' }, start + 62 * day), 'revoked');
    assert.equal(reasonOf(window(now - 2 * day, now - day)), 'window');
  });

  test('the reason says how urgent it is', () => {
    const reasonAt = (now: number): string => needsRenewal(facts(100 * day), wish, now).reason;
    assert.equal(reasonAt(start + 95 * day - 1), 'lifetime');
    assert.equal(reasonAt(start + 95 * day), 'emergency');
    assert.equal(reasonAt(start + 100 * day), 'expired');
  });

  test('whatever the lifetime, the window and the clock: renewal comes before the last twentieth, and due means renew', () => {
    const any = fc.double({ min: start - 200 * day, max: start + 800 * day });
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 400 * day }),
        fc.integer({ min: -day, max: 500 * day }),
        fc.option(fc.tuple(any, any, any)),
        (lifetimeMs, agoMs, parts) => {
          const told = parts === null ? null : window(parts[0], parts[1], { at: parts[2] });
          const certificate = facts(lifetimeMs, { window: told });
          const now = start + agoMs;
          const decision = needsRenewal(certificate, wish, now);
          assert.ok(decision.at <= certificate.notAfter - lifetimeMs / 20, `${decision.at}`);
          assert.equal(decision.action, now >= decision.at ? 'renew' : 'wait');
          if (now >= certificate.notAfter) assert.equal(decision.reason, 'expired');
        },
      ),
      runs(500),
    );
  });

  test('a certificate that ends before it begins is renewed', () => {
    assert.equal(needsRenewal(facts(-day), wish, start).action, 'renew');
  });
});

test('the share left of a lifetime: 1 before it begins, 0 at its end, less after it', () => {
  const certificate = facts(100 * day);
  const days = [-5, 0, 75, 100, 110];
  assert.deepEqual(
    days.map((each) => leftRatio(certificate, start + each * day)),
    [1, 1, 0.25, 0, -0.1],
  );
  assert.ok(leftRatio(facts(0), start + 1) < 0);
  assert.equal(renewalDueAt(facts(0)), start);
});
