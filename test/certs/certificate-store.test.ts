import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { type CertificateState, FRESH_STATE } from '../../src/certs/storage/certificate-state.ts';
import { CertificateStore, certificateFolder } from '../../src/certs/storage/certificate-store.ts';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
import type { Storage } from '../../src/certs/storage/storage.ts';
import { capturedLog } from '../support/captured-log.ts';
import { CrashingStorage } from '../support/crashing-storage.ts';
import { MemoryLocker, MemoryStorage } from '../support/memory-storage.ts';
import { makeAuthority, mint, newKey } from '../support/minted.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = makeAuthority();
const FOLDER = 'certificates/ca/a.example';
const quiet = capturedLog().log;
const storeOf = (storage: Storage): CertificateStore => new CertificateStore(storage, quiet);

test('a saved certificate is loaded again, and lies there as PEM files for other software', async () => {
  const storage = new MemoryStorage();
  const certificate = mint(['a.example'], root, { chain: root.certPem });
  await storeOf(storage).save('ca', 'a.example', certificate);
  assert.deepEqual(await storeOf(storage).load('ca', 'a.example'), certificate);
  assert.deepEqual(
    await storage.list('certificates'),
    ['bundle.pem', 'cert.pem', 'key.pem'].map((file) => `${FOLDER}/${file}`),
  );
  const leaf = new X509Certificate((await storage.load(`${FOLDER}/cert.pem`)) ?? '');
  assert.ok(leaf.checkPrivateKey(createPrivateKey((await storage.load(`${FOLDER}/key.pem`)) ?? '')));
});

test('names that cannot be file names as they are get folders that can', () => {
  assert.equal(certificateFolder('ca', '*.example.com'), 'certificates/ca/_wildcard.example.com');
  assert.equal(certificateFolder('ca', '2001:db8::1'), 'certificates/ca/_ipv6.2001-db8--1');
  assert.equal(certificateFolder('ca', '10.0.0.1'), 'certificates/ca/10.0.0.1');
  const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(50)}`;
  const [one, other] = [certificateFolder('ca', `${long}.x`), certificateFolder('ca', `${long}.y`)];
  assert.notEqual(one, other);
  for (const folder of [one, other]) new MemoryStorage().locate(folder);
});

suite('a crash between any two steps leaves a certificate and key that match', () => {
  const [old, fresh] = [mint(['a.example'], root), mint(['a.example'], root)];

  for (let changes = 0; changes < 4; changes++) {
    test(`when the process dies after ${changes} changes of a renewal`, async () => {
      const disk = new MemoryStorage();
      await storeOf(disk).save('ca', 'a.example', old);
      const dying = new CrashingStorage(disk, changes);
      await storeOf(dying)
        .save('ca', 'a.example', fresh)
        .catch(() => {});
      assert.equal(dying.crashed, changes < 3, 'a renewal has three steps');

      const found = await storeOf(disk).load('ca', 'a.example');
      assert.deepEqual(found, changes === 0 ? old : fresh);
      assert.equal(await disk.load(`${FOLDER}/cert.pem`), found?.certPem);
      assert.equal(await disk.load(`${FOLDER}/key.pem`), found?.keyPem);
    });
  }

  for (let changes = 0; changes < 3; changes++) {
    test(`when it dies again, after ${changes} changes of mending what the first crash left`, async () => {
      const disk = new MemoryStorage();
      await storeOf(disk).save('ca', 'a.example', old);
      await storeOf(new CrashingStorage(disk, 1))
        .save('ca', 'a.example', fresh)
        .catch(() => {});
      await storeOf(new CrashingStorage(disk, changes))
        .load('ca', 'a.example')
        .catch(() => {});
      assert.deepEqual(await storeOf(disk).load('ca', 'a.example'), fresh);
      assert.equal(await disk.load(`${FOLDER}/key.pem`), fresh.keyPem);
    });
  }
});

suite('a damaged file is never fatal', () => {
  const { certPem, keyPem } = mint(['a.example'], root);
  for (const [what, content] of [
    ['empty', ''],
    ['cut off in the key', keyPem.slice(0, 100)],
    ['cut off in the certificate', keyPem + certPem.slice(0, 300)],
    ['without its key', certPem],
    ['with another key', newKey() + certPem],
    ['binary', '\u0000\u0001\ufffd'.repeat(1000)],
    ['two megabytes of dashes', '-'.repeat(2_000_000)],
  ] as const) {
    test(`a bundle that is ${what} counts as missing, is reported and kept aside`, async () => {
      const { log, lines } = capturedLog();
      const storage = new MemoryStorage();
      await storage.store(`${FOLDER}/bundle.pem`, content);
      const store = new CertificateStore(storage, log);
      assert.equal(await store.read('ca', 'a.example'), null);
      assert.equal(await store.load('ca', 'a.example'), null);
      assert.equal(await storage.load(`${FOLDER}/bundle.pem`), null);
      assert.equal(await storage.load(`${FOLDER}/bundle.pem.bad`), content);
      assert.equal(lines[0]?.msg, 'stored certificate unreadable');
      assert.equal(lines[0]?.file, `memory:/${FOLDER}/bundle.pem`);
      assert.ok(!JSON.stringify(lines).includes(keyPem.split('\n')[1]!), 'keys are never logged');
    });
  }

  for (const content of ['', '{', 'null', '[]', '{"failures":"many"}', '{"obtainedAt":null}']) {
    test(`a state of ${JSON.stringify(content)} counts as none`, async () => {
      const storage = new MemoryStorage();
      await storage.store(`${FOLDER}/state.json`, content);
      assert.deepEqual(await storeOf(storage).loadState('ca', 'a.example'), FRESH_STATE);
    });
  }
});

test('state is remembered as it was saved', async () => {
  const storage = new MemoryStorage();
  const state: CertificateState = {
    fingerprint: 'AB:CD',
    obtainedAt: 1,
    issued: { profile: null, wishedProfile: 'shortlived', challenge: 'dns-01' },
    failures: 2,
    failingSince: 2,
    lastError: { at: 3, message: 'DNS problem', class: 'refused', patience: true },
    nextAttemptAt: 4,
    waiting: { at: 5, limit: 'certificates for example.com' },
    booked: { at: 6, names: ['*.example.com'] },
    window: { start: 7, end: 9, at: 8, checkedAt: 6, nextCheckAt: 10, explanationUrl: null, certificateId: 'x.y' },
    failedCheck: { checkedAt: 6, nextCheckAt: 7, failures: 1 },
    requestedAt: 11,
    refusedAt: 12,
    warnedAt: 13,
    onDemand: true,
  };
  await storeOf(storage).saveState('ca', '*.example.com', state);
  assert.deepEqual(await storeOf(storage).loadState('ca', '*.example.com'), state);
});

test('a state of the first version is taken as it is, and what it lacks says nothing', async () => {
  const storage = new MemoryStorage();
  const old = { obtainedAt: 1, failures: 2, lastError: { at: 3, message: 'DNS problem' }, nextAttemptAt: 4 };
  await storage.store(`${FOLDER}/state.json`, JSON.stringify(old));
  const lastError = { ...old.lastError, class: 'other', patience: false };
  assert.deepEqual(await storeOf(storage).loadState('ca', 'a.example'), { ...FRESH_STATE, ...old, lastError });
});

test('a late write is refused: when the lock is lost, and when somebody else has stored a certificate meanwhile', async () => {
  const [old, theirs, ours] = [mint(['a.example'], root), mint(['a.example'], root), mint(['a.example'], root)];
  const storage = new MemoryStorage();
  const store = storeOf(storage);
  const lock = await new MemoryLocker().acquire('x', AbortSignal.timeout(1_000));
  await store.save('ca', 'a.example', old);
  await store.save('ca', 'a.example', theirs);
  const late = store.save('ca', 'a.example', ours, { lock, replacing: old.fingerprint });
  await assert.rejects(late, { code: 'lock_lost' });
  await store.save('ca', 'a.example', old, { lock, replacing: theirs.fingerprint });
  await lock.release();
  const lost = store.save('ca', 'a.example', ours, { lock, replacing: old.fingerprint });
  await assert.rejects(lost, { code: 'lock_lost' });
  assert.equal((await store.read('ca', 'a.example'))?.fingerprint, old.fingerprint);
});

test('reading changes nothing, so that it may happen while another process writes', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = new FileStorage(folder);
  await storage.store(`${FOLDER}/bundle.pem`, 'damaged');
  assert.equal(await storeOf(storage).read('ca', 'a.example'), null);
  assert.deepEqual(await storage.list('certificates'), [`${FOLDER}/bundle.pem`]);
});
