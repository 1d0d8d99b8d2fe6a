// Everything at a glance: what needs somebody, bounded however much there is, and cheap however often it is asked for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertificateDigest } from '../../src/admin/certificate-digest.ts';
import { overview } from '../../src/admin/overview.ts';
import { troublesOf } from '../../src/admin/troubles.ts';
import type { CertificateStatus } from '../../src/certs/certificate-status.ts';
import type { RecentError } from '../../src/observe/traffic/recent-errors.ts';
import { NO_STEPS } from '../../src/observe/traffic/traffic-report.ts';
import {
  certificateStatus,
  configOf,
  fakeAdminServices,
  STARTED_AT,
  targetReport,
  workerReport,
} from '../support/fake-admin-services.ts';
import { nightShift } from '../support/night-shift.ts';

const NOW = STARTED_AT + 90_000;
const DAY_MS = 86_400_000;

describe('the overview', () => {
  it('tells what is broken, since when and in whose words, the worst first', async () => {
    const services = nightShift(NOW);
    const { troubles, certificates } = await overview(services, new CertificateDigest(services));
    const told = troubles.map(({ severity, about, subject, text, since }) => [
      severity,
      about,
      subject,
      text,
      since === null ? null : NOW - since,
    ]);
    assert.deepEqual(told, [
      ['bad', 'target', 'http://10.0.0.12:8080', 'the last 3214 requests failed', 180_000],
      ['bad', 'certificate', 'new.example.com', 'no certificate: clients are refused', 360_000],
      ['bad', 'site', 'shop.example.com', '47 % of its requests failed within a minute', 180_000],
      ['warning', 'certificate', 'intranet.example.com', 'ends soon, 9 days left: nobody renews it but you', null],
      ['note', 'target', 'http://10.0.0.13:8080', 'drained, nothing is under way on it', null],
    ]);
    assert.match(troubles[1]!.words!, /^urn:ietf:params:acme:error:dns: no valid A records/);
    assert.equal(troubles[1]!.whose, 'acme-v02.api.letsencrypt.org-directory');
    assert.deepEqual(certificates, { valid: 4, failing: 0, missing: 1, expired: 0 });
  });

  it('has a row for each site and target in the order of the configuration, with what is known of it', async () => {
    const services = nightShift(NOW);
    const { sites, targets, siteCount, errors, traffic } = await overview(services, new CertificateDigest(services));
    assert.deepEqual(
      sites.map(({ site, certificate, inflight, errors: failed }) => [
        site,
        certificate?.state,
        certificate?.endsSoon,
        inflight,
        failed > 0,
      ]),
      [
        ['www.example.com', 'valid', false, 9, false],
        ['api.example.com', 'valid', false, 31, false],
        ['shop.example.com', 'valid', false, 12, true],
        ['intranet.example.com', 'valid', true, 0, false],
        ['new.example.com', 'missing', false, 0, false],
        ['', undefined, undefined, 0, false],
      ],
    );
    assert.equal(siteCount, 6);
    assert.deepEqual(
      targets.map(({ name, state, latency }) => [name, state, latency?.count]),
      [
        ['http://10.0.0.21:3000', 'ok', 4_760],
        ['h2c://10.0.0.31:50051', 'ok', 9_330],
        ['http://10.0.0.11:8080', 'ok', 999],
        ['http://10.0.0.12:8080', 'failing', undefined],
        ['http://10.0.0.13:8080', 'drained', undefined],
      ],
    );
    assert.deepEqual([errors.length, traffic?.stepMs], [3, 5_000]);
  });

  it('finds sites and targets by a part of their names, in any case', async () => {
    const services = nightShift(NOW);
    const { sites, targets, siteCount } = await overview(services, new CertificateDigest(services), 'SHOP');
    assert.deepEqual([sites.map(({ site }) => site), siteCount, targets], [['shop.example.com'], 1, []]);
  });

  it('is bounded however many there are, and leaves those in trouble in', async () => {
    const services = fakeAdminServices();
    const hosts = Array.from({ length: 3_000 }, (_, i) => `n${i}.example`);
    services.inForce = configOf({
      sites: Object.fromEntries(hosts.map((host, i) => [host, `http://10.0.0.1:${i + 1}`])),
    });
    services.certificateList = hosts.map((host, i) =>
      certificateStatus({ name: host, names: [host], state: i === 2_999 ? 'expired' : 'valid' }),
    );
    const failure = { sinceAt: NOW, lastAt: NOW, count: 1, code: 'connect_failed', message: 'no' };
    const targets = hosts.map((_, i) =>
      targetReport({ name: `http://10.0.0.1:${i + 1}`, failure: i === 2_998 ? failure : null }),
    );
    services.reportList = [workerReport({ targets })];
    const told = await overview(services, new CertificateDigest(services));
    assert.deepEqual(
      [told.sites.length, told.siteCount, told.targets.length, told.targetCount],
      [200, 3_000, 200, 3_000],
    );
    assert.equal(told.sites.at(-1)!.site, 'n2999.example');
    assert.equal(told.targets.at(-1)!.name, 'http://10.0.0.1:2999');
    assert.ok(JSON.stringify(told).length < 150_000);
  });

  it('goes through the certificates once for many who ask at once, and not again at once', async () => {
    const services = fakeAdminServices();
    let passes = 0;
    services.certificateList = {
      *[Symbol.iterator]() {
        passes++;
        yield certificateStatus();
      },
    };
    const digest = new CertificateDigest(services);
    await Promise.all(Array.from({ length: 5 }, () => overview(services, digest)));
    await overview(services, digest);
    assert.equal(passes, 1);
  });

  it('is asked for again after certificates could not be read', async () => {
    let isBroken = true;
    const certificates = (): CertificateStatus[] => {
      if (isBroken) throw new Error('no');
      return [certificateStatus()];
    };
    const digest = new CertificateDigest({ ...fakeAdminServices(), certificates });
    await assert.rejects(digest.read(), /no/);
    isBroken = false;
    assert.equal((await digest.read()).counts.valid, 1);
  });
});

describe('what needs somebody', () => {
  const status = { state: 'serving', lastReload: null } as never;
  const sources = { status, certificates: [], targets: [], traffic: null, now: NOW };
  const ofCertificate = (change: Partial<CertificateStatus>) => {
    const [trouble] = troublesOf({ ...sources, certificates: [certificateStatus(change)] });
    return [trouble!.severity, trouble!.text];
  };

  it('is nothing when nothing is wrong', () => {
    assert.deepEqual(troublesOf(sources), []);
  });

  it('is a certificate, the worse the less time is left', () => {
    const lastError = { at: NOW, message: 'no' };
    assert.deepEqual(ofCertificate({ state: 'expired', notAfter: NOW - 1 }), ['bad', 'the certificate has expired']);
    assert.deepEqual(ofCertificate({ state: 'failing', lastError, notAfter: NOW + 2 * DAY_MS }), [
      'bad',
      'renewal fails, 2 days left',
    ]);
    assert.deepEqual(ofCertificate({ state: 'failing', lastError, notAfter: NOW + 20 * DAY_MS }), [
      'warning',
      'renewal fails, 20 days left',
    ]);
    assert.deepEqual(ofCertificate({ state: 'missing', notAfter: null }), ['warning', 'no certificate yet']);
  });

  it('is a site, since the first of the errors of this minute began, in the words of the last one', () => {
    const [requestSteps, errorSteps] = [NO_STEPS.map(() => 10), NO_STEPS.map(() => 5)];
    const site = {
      site: 'a.example',
      requests: 600,
      answers: [],
      ownErrors: 300,
      targetErrors: 0,
      requestSteps,
      errorSteps,
    };
    const error = (message: string, firstAt: number, lastAt: number): RecentError => ({
      ...{ site: 'a.example', route: '/*', target: message, code: 'connect_failed', count: 9 },
      ...{ message, firstAt: NOW - firstAt, lastAt: NOW - lastAt },
    });
    const errors = [error('last', 30_000, 10), error('first', 180_000, 5_000), error('old', 5 * DAY_MS, 4 * DAY_MS)];
    const traffic = { stepAt: NOW, all: site, sites: [site], targets: [], errors };
    const [trouble] = troublesOf({ ...sources, traffic });
    assert.deepEqual([trouble!.subject, trouble!.since, trouble!.words], ['a.example', NOW - 180_000, 'last']);
    const [unknown] = troublesOf({ ...sources, traffic: { ...traffic, errors: [] } });
    assert.deepEqual([unknown!.since, unknown!.words], [null, null]);
  });

  it('is a reload that was refused', () => {
    const lastReload = { at: NOW - 5, accepted: false, message: 'cannot use it: 2 problems' };
    const [trouble] = troublesOf({ ...sources, status: { state: 'stopping', lastReload } as never });
    assert.deepEqual(
      [trouble!.severity, trouble!.about, trouble!.since, trouble!.words],
      ['warning', 'configuration', NOW - 5, 'cannot use it: 2 problems'],
    );
  });
});
