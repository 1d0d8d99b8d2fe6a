import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CertificateStatus } from '../../../src/certs/certificate-status.ts';
import { inventoryText } from '../../../src/cli/certs/table.ts';

const NOW = Date.UTC(2026, 10, 15);
const DAY = 86_400_000;

const status = (changes: Partial<CertificateStatus>): CertificateStatus => ({
  name: 'app.example.com',
  names: ['app.example.com'],
  source: 'acme',
  onDemand: false,
  state: 'valid',
  issuer: "Let's Encrypt E7",
  authority: 'acme-v02.api.letsencrypt.org-directory',
  challenge: 'http-01',
  profile: null,
  keyType: 'p256',
  notBefore: NOW - 30 * DAY,
  notAfter: NOW + 60 * DAY,
  leftRatio: 2 / 3,
  next: { step: 'renew', at: NOW + 30 * DAY, reason: 'lifetime', waitsFor: null },
  nextRenewalAt: NOW + 30 * DAY,
  lastError: null,
  nextAttemptAt: null,
  failures: 0,
  window: null,
  requestedAt: null,
  budget: [],
  ...changes,
});

const text = (certificates: readonly CertificateStatus[], columns = 80): string =>
  inventoryText({ certificates, orphans: [] }, NOW, columns);

describe('the table of certificates', () => {
  it('has a row for each with aligned columns, and under it who, how and why', () => {
    const window = { start: NOW + 29 * DAY, end: NOW + 31 * DAY, at: NOW + 30 * DAY, explanationUrl: null };
    assert.equal(
      text([
        status({ next: { step: 'renew', at: NOW + 30 * DAY, reason: 'window', waitsFor: null }, window }),
        status({
          name: '*.dev.localhost',
          source: 'local',
          issuer: 'Perantara Local Root 0a',
          challenge: null,
          notAfter: NOW + DAY / 2,
          leftRatio: 0.01,
          next: { step: 'renew', at: NOW, reason: 'emergency', waitsFor: null },
        }),
        status({ name: 'shop.example.com', source: 'supplied', challenge: null, next: null, keyType: 'rsa2048' }),
      ]),
      `${[
        'NAME              STATE  EXPIRES     LEFT            NEXT STEP',
        'app.example.com   valid  2027-01-14  60 days (67 %)  renew in 30 days',
        "  Let's Encrypt E7, http-01, p256",
        '  why: window 2026-12-14 to 2026-12-16',
        '*.dev.localhost   valid  2026-11-15  12h (1 %)       renew now',
        '  Perantara Local Root 0a, p256',
        '  why: emergency',
        'shop.example.com  valid  2027-01-14  60 days (67 %)  by you',
        "  Let's Encrypt E7, supplied, rsa2048",
      ].join('\n')}\n`,
    );
  });

  it("shows the last error in the authority's words, when it was, the next attempt, and what is left of the limits", () => {
    const lastError = { at: NOW - 120_000, message: 'urn:ietf:params:acme:error:dns: no A record for \x1b[31mapp' };
    const failing = status({
      issuer: null,
      challenge: null,
      notAfter: null,
      leftRatio: null,
      state: 'failing',
      next: { step: 'obtain', at: NOW + 600_000, reason: 'missing', waitsFor: 'retry' },
      lastError,
      nextAttemptAt: NOW + 600_000,
      budget: [
        { limit: 'failures for app.example.com', left: 3, of: 4, nextAt: NOW },
        { limit: 'orders', left: 10, of: 10, nextAt: NOW },
      ],
    });
    assert.deepEqual(text([failing], 100).split('\n').slice(1), [
      'app.example.com  failing  -        -     obtain in 10m',
      '  from acme-v02.api.letsencrypt.org-directory, p256',
      '  why: missing, waits: after a failure',
      '  last error 2m ago: urn:ietf:params:acme:error:dns: no A record for \\u001b[31mapp; next attempt in',
      '    10m',
      '  budget left: 3 of 4 failures for app.example.com',
      '',
    ]);
  });

  it('keeps to the width of the terminal; a name that is too long takes a line of its own', () => {
    const name = `${'long.'.repeat(12)}example.com`;
    const lines = text([status({ name, names: [name, 'b.example'] }), status({})]).split('\n');
    assert.deepEqual(lines[1], `${name} +1`);
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.match(lines.join('\n'), /^app\.example\.com +valid +2027/m);
  });

  it('names all that a certificate is for, and says when it is one on demand', () => {
    const names = Array.from({ length: 30 }, (_each, i) => `name-${i}.example.com`);
    const all = text([status({ name: names[0]!, names })]);
    for (const name of names) assert.ok(all.includes(name), name);
    for (const line of all.split('\n')) assert.ok(line.length <= 80, line);
    const [, , facts, why] = text([status({ onDemand: true })]).split('\n');
    assert.equal(facts, "  Let's Encrypt E7, http-01, p256, on demand");
    assert.equal(why, '  why: lifetime, once somebody uses it');
  });

  it('says when a certificate has expired, that a new one was asked for, and lists orphans at the end', () => {
    const expired = status({ notAfter: NOW - 1, leftRatio: 0, state: 'expired', requestedAt: NOW - 5_000 });
    assert.match(text([expired]), / expired +2026-11-14 +- /);
    assert.match(text([expired]), /^ {2}a new one was asked for 5s ago$/m);
    const folder = 'certificates/ca/old.example';
    const orphans = [{ folder, issuerId: 'ca', name: 'old.example', since: NOW - DAY }];
    assert.match(
      inventoryText({ certificates: [status({})], orphans }, NOW, 80),
      /\n\nNo longer configured.*:\n {2}certificates\/ca\/old\.example, since 2026-11-14\n$/,
    );
  });
});
