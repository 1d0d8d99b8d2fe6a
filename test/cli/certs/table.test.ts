import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CertificateStatus } from '../../../src/certs/inventory.ts';
import { certificateTable } from '../../../src/cli/certs/table.ts';

const NOW = Date.UTC(2026, 10, 15);
const DAY = 86_400_000;

const status = (changes: Partial<CertificateStatus>): CertificateStatus => ({
  name: 'app.example.com',
  source: 'acme',
  issuer: "Let's Encrypt E7",
  notAfter: NOW + 60 * DAY,
  nextRenewalAt: NOW + 30 * DAY,
  state: 'valid',
  lastError: null,
  nextAttemptAt: null,
  ...changes,
});

describe('the table of certificates', () => {
  it('has a line per name, with aligned columns', () => {
    const table = certificateTable(
      [
        status({}),
        status({
          name: '*.dev.localhost',
          source: 'local',
          issuer: 'Perantara local CA',
          notAfter: NOW + DAY / 2,
          nextRenewalAt: NOW,
        }),
        status({ name: 'shop.example.com', source: 'supplied', nextRenewalAt: null }),
      ],
      NOW,
    );
    assert.equal(
      table,
      `${[
        'NAME              SOURCE    STATE  ISSUER              EXPIRES     LEFT     NEXT RENEWAL',
        "app.example.com   ACME      valid  Let's Encrypt E7    2027-01-14  60 days  2026-12-15 (in 30 days)",
        '*.dev.localhost   local     valid  Perantara local CA  2026-11-15  12h      due now',
        "shop.example.com  supplied  valid  Let's Encrypt E7    2027-01-14  60 days  by you",
      ].join('\n')}\n`,
    );
  });

  it("shows the last error in the authority's words, when it was and when the next attempt is", () => {
    const lastError = { at: NOW - 120_000, message: 'urn:ietf:params:acme:error:dns: no A record for \x1b[31mapp' };
    const failing = status({
      issuer: null,
      notAfter: null,
      nextRenewalAt: null,
      state: 'failing',
      lastError,
      nextAttemptAt: NOW + 600_000,
    });
    const lines = certificateTable([failing], NOW).split('\n');
    assert.match(lines[1]!, /^app\.example\.com +ACME +failing +- +- +- +-$/);
    assert.equal(
      lines[2],
      '  last error 2m ago: urn:ietf:params:acme:error:dns: no A record for \\u001b[31mapp; next attempt in 10m',
    );
  });

  it('says when a certificate has expired', () => {
    assert.match(
      certificateTable([status({ notAfter: NOW - 1, state: 'expired' })], NOW),
      / expired +\S.*2026-11-14 +expired /,
    );
  });
});
