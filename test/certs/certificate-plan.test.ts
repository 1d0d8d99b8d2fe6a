import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planCertificates } from '../../src/certs/certificate-plan.ts';
import { certificateFolder } from '../../src/certs/storage/certificate-store.ts';
import { checkStorageKey } from '../../src/certs/storage/storage.ts';
import type { Config, SiteTls } from '../../src/config/config.ts';

const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const PRIVATE = 'https://ca.internal/dir';

type AcmeTls = Extract<SiteTls, { kind: 'acme' }>;

function acme(details: Partial<AcmeTls> = {}): AcmeTls {
  const plain = { directories: [LETSENCRYPT], challenges: ['http-01'], keyTypes: ['p256'] } as const;
  return { kind: 'acme', ...plain, profile: null, group: null, ...details };
}

function plan(sites: Readonly<Record<string, SiteTls>>, profile: string | null = null) {
  const profileOf = profile === null ? null : { name: profile, required: true };
  const authorities = [LETSENCRYPT, PRIVATE].map((directory) => ({ directory, profile: profileOf }));
  const config = { acme: authorities, sites: Object.entries(sites).map(([host, tls]) => ({ host, tls })) };
  return planCertificates(config as unknown as Config);
}

test('each site has a certificate of its own, from the issuers it names, in their order', () => {
  const planned = plan({
    'b.example': acme({ directories: [PRIVATE, LETSENCRYPT] }),
    'a.localhost': { kind: 'local' },
  });
  assert.deepEqual(
    planned.map(({ name, names, issuers }) => [name, names, issuers.map(({ directory }) => directory)]),
    [
      ['b.example', ['b.example'], [PRIVATE, LETSENCRYPT]],
      ['a.localhost', ['a.localhost'], [null]],
    ],
  );
});

test('the sites of a group share one certificate with all their names', () => {
  const shop = acme({ group: 'shop' });
  const planned = plan({ 'shop.example': shop, 'x.example': acme(), '*.shop.example': shop });
  assert.deepEqual(
    planned.map(({ name, names }) => [name, names]),
    [
      ['_group.shop', ['shop.example', '*.shop.example']],
      ['x.example', ['x.example']],
    ],
  );
});

test('two key types make a pair: two certificates of the same names, the second beside the first', () => {
  const tls = acme({ keyTypes: ['p256', 'rsa2048'] });
  const planned = plan({ '2001:db8::1': tls });
  assert.deepEqual(
    planned.map(({ name, keyType, part }) => [name, keyType, part]),
    [
      ['2001:db8::1', 'p256', 0],
      ['2001:db8::1_rsa2048', 'rsa2048', 1],
    ],
  );
  for (const { name } of planned) checkStorageKey(certificateFolder('ca', name));
});

test('a profile comes from the site, else from its issuer; addresses choose shortlived at Let’s Encrypt by themselves', () => {
  const profiles = (sites: Readonly<Record<string, SiteTls>>, profile: string | null = null) =>
    plan(sites, profile)[0]!.issuers.map((issuer) => issuer.profile?.name ?? null);
  assert.deepEqual(profiles({ 'a.example': acme() }), [null]);
  assert.deepEqual(profiles({ 'a.example': acme() }, 'tlsserver'), ['tlsserver']);
  assert.deepEqual(profiles({ '192.0.2.1': acme({ directories: [LETSENCRYPT, PRIVATE] }) }), ['shortlived', null]);
  assert.deepEqual(profiles({ '192.0.2.1': acme() }, 'classic'), ['shortlived']);
  const own = { name: 'custom', required: true };
  assert.deepEqual(profiles({ '192.0.2.1': acme({ profile: own }) }, 'classic'), ['custom']);
});
