// DNS proofs as a real CA sees them: Pebble looks into our name server, where records are put by signed updates.
import assert from 'node:assert/strict';
import { after, before, suite, type TestContext, test } from 'node:test';
import { AcmeIssuer } from '../../../src/certs/acme/issuer.ts';
import { verifyIssued } from '../../../src/certs/certificate.ts';
import { createDnsSolvers } from '../../../src/certs/dns/solvers.ts';
import type { IssuedCertificate } from '../../../src/certs/issuer.ts';
import { FileLocker } from '../../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../../src/certs/storage/file-storage.ts';
import type { ChallengeType } from '../../../src/config/config.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { requestFor } from '../../support/certificate-request.ts';
import { type DnsServer, startDnsServer } from '../../support/dns-server.ts';
import { freePort } from '../../support/free-port.ts';
import { needsTools } from '../../support/needs-tools.ts';
import { type Pebble, startPebble } from '../../support/pebble.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const tools = await needsTools('pebble', 'pebble-challtestsrv');
const never = new AbortController().signal;
const key = { name: 'acme.key', algorithm: 'hmac-sha256', secret: Buffer.from('of 32 octets').toString('base64') };
let dns: DnsServer;
let pebble: Pebble;

async function issue(t: TestContext, names: readonly string[], type: ChallengeType): Promise<IssuedCertificate> {
  return (await issuerOver(await temporaryFolder(t), t)).issue(requestFor(names, { challenges: [type] }), never);
}

async function issuerOver(folder: string, t: TestContext): Promise<AcmeIssuer> {
  const { log } = capturedLog();
  const provider = { kind: 'rfc2136', server: dns.address, zone: null, tsig: key } as const;
  const waits = { propagationMs: 20_000, settleMs: 0, check: true, ttlMs: 60_000 };
  const config = { provider, resolvers: [dns.address], ...waits };
  const issuer = new AcmeIssuer({
    directoryUrl: pebble.directoryUrl,
    email: null,
    trust: pebble.trustPem,
    solvers: createDnsSolvers(config, { log, clock: systemClock }),
    storage: new FileStorage(folder),
    locker: new FileLocker(folder),
    log,
    clock: systemClock,
    userAgent: 'perantara/0.0.0-test',
  });
  t.after(() => issuer.close());
  return issuer;
}

suite('against Pebble, by DNS', tools, () => {
  before(async () => {
    dns = await startDnsServer({ keys: [key] });
    for (const zone of ['example.test', 'proofs.test']) dns.addZone(zone);
    pebble = await startPebble({
      httpPort: await freePort(),
      dnsServer: dns.address,
      // Every name is to be proved anew.
      env: { PEBBLE_AUTHZREUSE: '0' },
    });
  });

  after(async () => {
    await pebble?.stop();
    await dns?.stop();
  });

  test('DNS-01 proves a name and its wildcard for one certificate, and leaves nothing behind', async (t) => {
    const names = ['example.test', '*.example.test'];
    const { certificate, challenge } = await issue(t, names, 'dns-01');
    verifyIssued(certificate, names, Date.now());
    assert.equal(challenge, 'dns-01');
    const changes = dns.updates.filter(({ name }) => name === '_acme-challenge.example.test');
    assert.deepEqual(changes.map(({ change }) => change).sort(), ['add', 'add', 'remove', 'remove']);
    assert.equal(new Set(changes.map(({ text }) => text)).size, 2);
    assert.deepEqual(dns.texts('_acme-challenge.example.test'), []);
  });

  test('DNS-01 proves a name whose proofs are handed to another zone', async (t) => {
    dns.add('_acme-challenge.www.example.test', 'CNAME', 'www.proofs.test');
    const { certificate } = await issue(t, ['www.example.test'], 'dns-01');
    verifyIssued(certificate, ['www.example.test'], Date.now());
    const changes = dns.updates.filter(({ zone }) => zone === 'proofs.test');
    assert.deepEqual(
      changes.map(({ name, change }) => `${change} ${name}`),
      ['add www.proofs.test', 'remove www.proofs.test'],
    );
  });

  test('DNS-PERSIST-01 prints the record that the CA wants, and proves with it', async (t) => {
    const names = ['stays.example.test', '*.stays.example.test'];
    const issuer = await issuerOver(await temporaryFolder(t), t);
    const request = requestFor(names, { challenges: ['dns-persist-01'] });
    const message = await issuer.issue(request, never).then(
      () => 'issued',
      (error: Error) => error.message,
    );
    const [, fqdn = '', value = ''] =
      /set (\S+)\. IN TXT "([^"]+; policy=wildcard)"$/.exec(await printed(issuer, message)) ?? [];
    assert.equal(fqdn, '_validation-persist.stays.example.test', message);
    dns.add(fqdn, 'TXT', value);
    for (let each = 0; each < 2; each++) {
      const { certificate, challenge, settle } = await issuer.issue(request, never);
      await settle?.();
      verifyIssued(certificate, names, Date.now());
      assert.equal(challenge, 'dns-persist-01');
    }
    assert.deepEqual(dns.texts(fqdn), [value]);
  });
});

/** Of the name and its wildcard, either may have been looked at first; only the wildcard’s record serves both. */
async function printed(issuer: AcmeIssuer, message: string): Promise<string> {
  if (message.includes('policy=wildcard')) return message;
  const alone = requestFor(['*.stays.example.test'], { challenges: ['dns-persist-01'] });
  return issuer.issue(alone, never).then(
    () => 'issued',
    (error: Error) => error.message,
  );
}
