import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FRESH_STATE } from '../../src/certs/certificate-state.ts';
import { CertificateStore } from '../../src/certs/certificate-store.ts';
import { FileStorage } from '../../src/certs/file-storage.ts';
import { listCertificates } from '../../src/certs/inventory.ts';
import type { Config, SiteTls } from '../../src/config/config.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = makeAuthority();
const DAY = 86_400_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const clock = { now: () => NOW };
const CA = 'localhost-14000-dir';

async function rig(t: TestContext) {
  const folder = await temporaryFolder(t);
  const store = new CertificateStore(new FileStorage(folder), capturedLog().log);
  const list = (sites: Record<string, SiteTls>) => listCertificates(configOf(folder, sites), clock);
  return { folder, store, list };
}

/** The part of a config that is read. */
function configOf(storage: string, sites: Record<string, SiteTls>): Config {
  const acme = [{ directory: 'https://localhost:14000/dir', email: null, trust: null }];
  return { storage, acme, sites: Object.entries(sites).map(([host, tls]) => ({ host, tls })) } as unknown as Config;
}

const acme = {
  kind: 'acme',
  directories: ['https://ca.example/dir'],
  challenges: ['http-01'],
  keyTypes: ['p256'],
  profile: null,
  group: null,
} as const;

test('a valid certificate shows its issuer, its end and when it will be renewed', async (t) => {
  const { store, list } = await rig(t);
  await store.save(CA, 'a.example', mint(['a.example'], root, { notBefore: NOW, notAfter: NOW + 90 * DAY }));
  await store.saveState(CA, 'a.example', { ...FRESH_STATE, obtainedAt: NOW });
  assert.deepEqual(await list({ 'a.example': acme }), [
    {
      name: 'a.example',
      source: 'acme',
      issuer: 'Test Root',
      notAfter: NOW + 90 * DAY,
      nextRenewalAt: NOW + 60 * DAY,
      state: 'valid',
      lastError: null,
      nextAttemptAt: null,
    },
  ]);
});

test('names come in the config’s order, with local and supplied ones among them', async (t) => {
  const { store, list } = await rig(t);
  await store.save('local', '*.dev.localhost', mint(['*.dev.localhost'], root));
  const { certPem, keyPem } = mint(['c.example'], root, { notBefore: NOW - 2 * DAY, notAfter: NOW - DAY });
  const supplied = {
    kind: 'supplied',
    files: { form: 'pem', cert: '/c.pem', key: '/k.pem' },
    certPem,
    keyPem,
  } as const;
  const statuses = await list({ 'b.example': acme, '*.dev.localhost': { kind: 'local' }, 'c.example': supplied });
  assert.deepEqual(
    statuses.map(({ name, source, state }) => [name, source, state]),
    [
      ['b.example', 'acme', 'missing'],
      ['*.dev.localhost', 'local', 'valid'],
      ['c.example', 'supplied', 'expired'],
    ],
  );
});

test('a failing name shows the CA’s words, when, and when it is tried again', async (t) => {
  const { store, list } = await rig(t);
  const lastError = { at: NOW - 1_000, message: 'the CA says: no', class: 'refused', patience: false } as const;
  const state = { ...FRESH_STATE, failures: 2, lastError, nextAttemptAt: NOW + 60_000 };
  await store.saveState(CA, 'new.example', state);
  await store.save(
    CA,
    'old.example',
    mint(['old.example'], root, { notBefore: NOW - 80 * DAY, notAfter: NOW + 10 * DAY }),
  );
  await store.saveState(CA, 'old.example', state);
  const [fresh, old] = await list({ 'new.example': acme, 'old.example': acme });
  assert.deepEqual([fresh?.state, fresh?.lastError, fresh?.nextAttemptAt], ['failing', lastError, NOW + 60_000]);
  assert.deepEqual([old?.state, old?.nextRenewalAt, old?.nextAttemptAt], ['failing', NOW + 60_000, NOW + 60_000]);
});

test('an expired certificate is called so, failing or not', async (t) => {
  const { store, list } = await rig(t);
  await store.save(CA, 'a.example', mint(['a.example'], root, { notBefore: NOW - 9 * DAY, notAfter: NOW }));
  assert.equal((await list({ 'a.example': acme }))[0]?.state, 'expired');
});

test('without a storage folder, or with damaged files in it, names are missing; nothing is written', async (t) => {
  const { folder, store, list } = await rig(t);
  assert.equal((await list({ 'a.example': acme }))[0]?.state, 'missing');
  await store.saveState(CA, 'a.example', FRESH_STATE);
  const bundle = join(folder, 'certificates', CA, 'a.example', 'bundle.pem');
  await writeFile(bundle, 'damaged');
  assert.equal((await list({ 'a.example': acme }))[0]?.state, 'missing');
  assert.equal(await new FileStorage(folder).load(`certificates/${CA}/a.example/bundle.pem`), 'damaged');
});
