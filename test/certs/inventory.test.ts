import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { takeInventory } from '../../src/certs/inventory.ts';
import { FRESH_STATE } from '../../src/certs/storage/certificate-state.ts';
import { CertificateStore } from '../../src/certs/storage/certificate-store.ts';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
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
  const list = async (sites: Record<string, SiteTls>) =>
    (await takeInventory(configOf(folder, sites), clock)).certificates;
  return { folder, store, list };
}

/** The part of a config that is read. */
function configOf(storage: string, sites: Record<string, SiteTls>): Config {
  const acme = [{ directory: 'https://localhost:14000/dir', email: null, trust: null }];
  return { storage, acme, sites: Object.entries(sites).map(([host, tls]) => ({ host, tls })) } as unknown as Config;
}

const acme = {
  kind: 'acme',
  directories: ['https://localhost:14000/dir'],
  challenges: ['http-01'],
  keyTypes: ['p256'],
  profile: null,
  group: null,
} as const;

test('a valid certificate shows its issuer, its end and when it will be renewed', async (t) => {
  const { store, list } = await rig(t);
  await store.save(CA, 'a.example', mint(['a.example'], root, { notBefore: NOW, notAfter: NOW + 90 * DAY }));
  await store.saveState(CA, 'a.example', { ...FRESH_STATE, obtainedAt: NOW });
  const [status] = await list({ 'a.example': acme });
  assert.deepEqual(status, {
    name: 'a.example',
    names: ['a.example'],
    source: 'acme',
    onDemand: false,
    state: 'valid',
    issuer: 'Test Root',
    authority: CA,
    challenge: null,
    profile: null,
    keyType: 'p256',
    notBefore: NOW,
    notAfter: NOW + 90 * DAY,
    leftRatio: 1,
    next: { step: 'renew', at: NOW + 60 * DAY, reason: 'lifetime', waitsFor: null },
    nextRenewalAt: NOW + 60 * DAY,
    lastError: null,
    nextAttemptAt: null,
    failures: 0,
    window: null,
    requestedAt: null,
    budget: [],
  });
});

test('it shows how it was ordered and proved, the window of its issuer, and that a new one was asked for', async (t) => {
  const { store, list } = await rig(t);
  const certificate = mint(['a.example'], root, { notBefore: NOW - 10 * DAY, notAfter: NOW + 80 * DAY });
  await store.save(CA, 'a.example', certificate);
  const window = { start: NOW + DAY, end: NOW + 3 * DAY, at: NOW + 2 * DAY, explanationUrl: 'https://ca.example/why' };
  const kept = { ...window, checkedAt: NOW, nextCheckAt: NOW + DAY, certificateId: 'x.y' };
  const issued = { profile: 'classic', wishedProfile: null, challenge: 'dns-01' };
  const state = { ...FRESH_STATE, fingerprint: certificate.fingerprint, issued, window: kept };
  await store.saveState(CA, 'a.example', state);
  const [planned] = await list({ 'a.example': acme });
  assert.deepEqual([planned?.challenge, planned?.profile, planned?.window], ['dns-01', 'classic', window]);
  assert.deepEqual(planned?.next, { step: 'renew', at: NOW + 2 * DAY, reason: 'window', waitsFor: null });
  await store.saveState(CA, 'a.example', { ...state, requestedAt: NOW });
  const [requested] = await list({ 'a.example': acme });
  assert.deepEqual([requested?.requestedAt, requested?.next?.reason, requested?.next?.at], [NOW, 'requested', NOW]);
});

test('an order that waits for the limits of its authority says so', async (t) => {
  const { store, list } = await rig(t);
  const waiting = { at: NOW + 3_600_000, limit: 'orders' };
  await store.saveState(CA, 'a.example', { ...FRESH_STATE, waiting });
  const [status] = await list({ 'a.example': acme });
  assert.deepEqual(status?.next, { step: 'obtain', at: NOW + 3_600_000, reason: 'missing', waitsFor: 'budget' });
});

test('one certificate for a group and two for a pair have a row each; what is left of the limits is shown', async (t) => {
  const { folder } = await rig(t);
  const directory = 'https://acme-v02.api.letsencrypt.org/directory';
  const pair = { ...acme, directories: [directory], keyTypes: ['p256', 'rsa2048'], group: 'g' } as const;
  const config = { ...configOf(folder, { 'a.example': pair, 'b.example': pair }), acme: [{ directory }] };
  const { certificates } = await takeInventory(config as unknown as Config, clock);
  assert.deepEqual(
    certificates.map(({ names, keyType }) => [names, keyType]),
    [
      [['a.example', 'b.example'], 'p256'],
      [['a.example', 'b.example'], 'rsa2048'],
    ],
  );
  const { budget } = certificates[0]!;
  assert.ok(budget.length > 0 && budget.every(({ left, of }) => left === of), JSON.stringify(budget));
});

test('what is stored and no longer configured is listed apart', async (t) => {
  const { folder, store } = await rig(t);
  await store.save(CA, 'old.example', mint(['old.example'], root));
  await store.save(CA, 'a.example', mint(['a.example'], root));
  const { orphans } = await takeInventory(configOf(folder, { 'a.example': acme }), clock);
  assert.deepEqual(
    orphans.map(({ name, issuerId }) => [issuerId, name]),
    [[CA, 'old.example']],
  );
});

test('certificates on demand follow those of the file, as long as the file has onDemand', async (t) => {
  const { folder, store } = await rig(t);
  for (const name of ['z.example', 'a.example', 'b.example']) {
    await store.save(CA, name, mint([name], root, { notBefore: NOW, notAfter: NOW + 90 * DAY }));
    await store.saveState(CA, name, { ...FRESH_STATE, onDemand: true });
  }
  const config = configOf(folder, { 'b.example': acme });
  const listed = await takeInventory({ ...config, onDemand: {} } as unknown as Config, clock);
  assert.deepEqual(
    listed.certificates.map(({ name, onDemand, state }) => [name, onDemand, state]),
    [
      ['b.example', false, 'valid'],
      ['a.example', true, 'valid'],
      ['z.example', true, 'valid'],
    ],
  );
  assert.deepEqual(listed.orphans, []);
  assert.equal((await takeInventory(config, clock)).certificates.length, 1);
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
  const words = { at: lastError.at, message: lastError.message };
  const [fresh, old] = await list({ 'new.example': acme, 'old.example': acme });
  assert.deepEqual([fresh?.state, fresh?.lastError, fresh?.nextAttemptAt], ['failing', words, NOW + 60_000]);
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

test('what may not be looked at is not called missing', async (t) => {
  const { folder } = await rig(t);
  // A loop: unreadable for the superuser too.
  await symlink('certificates', join(folder, 'certificates'));
  await assert.rejects(takeInventory(configOf(folder, { 'a.example': acme }), clock), { code: 'storage_unreadable' });
});
