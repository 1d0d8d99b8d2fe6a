// hostile-inputs item 34: the disk is full, read-only, broken, slow, under the whole automation. Nothing is ordered that
// could not be kept; what was issued is served, and stored when that can be done, without another order.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { acmeIssuerId } from '../../src/certs/acme/issuer.ts';
import { CertificateStore, certificateFolder } from '../../src/certs/storage/certificate-store.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { FileStorage, unwritable } from '../../src/certs/storage/file-storage.ts';
import type { Storage } from '../../src/certs/storage/storage.ts';
import { capturedLog } from '../support/captured-log.ts';
import { type FakeAcme, startFakeAcme } from '../support/fake-acme.ts';
import { FaultyStorage, type Operation } from '../support/faulty-storage.ts';
import { configOf, handshake, type Life, newLife } from '../support/kept-certificate.ts';
import { mint } from '../support/minted.ts';
import { retry } from '../support/retry.ts';
import { needsSmallDisk, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'a.example';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CODES = ['ENOSPC', 'EROFS', 'EIO'];
const PATIENT = { deadlineMs: 60_000, pauseMs: 100 };

interface Rig {
  readonly ca: FakeAcme;
  readonly life: Life;
  readonly storage: Storage;
  readonly issuerId: string;
  /** Two hours go by, and storage changes: whatever waits has its turn. */
  later(): Promise<void>;
  /** Resolves when the certificate is stored, is what is served, and was ordered once. */
  recovered(): Promise<void>;
}

/** `root`: the storage folder. The trust bundle lies elsewhere. */
async function newRig(t: TestContext, root: string, storage: Storage = new FileStorage(root)): Promise<Rig> {
  const ca = await startFakeAcme();
  t.after(() => ca.stop());
  const trustFile = join(await temporaryFolder(t), 'trust.pem');
  await writeFile(trustFile, ca.trustPem);
  let ahead = 0;
  const clock = { now: (): number => Date.now() + ahead };
  const life = newLife(configOf(ca, root, trustFile, [NAME]), { clock, storage });
  t.after(() => life.manager.close());
  const issuerId = acmeIssuerId(ca.directoryUrl);
  const plain = new FileStorage(root);
  const { log } = capturedLog();
  const store = new CertificateStore(plain, log);
  return {
    ca,
    life,
    storage,
    issuerId,
    later: async () => {
      ahead += 2 * HOUR_MS;
      await new ChangeJournal({ storage: plain, log, clock }).note(certificateFolder(issuerId, NAME));
    },
    recovered: async () => {
      await retry(async () => {
        const stored = await store.read(issuerId, NAME);
        ok(stored !== null, JSON.stringify(life.logged.lines, null, 1));
        equal(await handshake(life, NAME, ca), stored.fingerprint);
        equal((await store.loadState(issuerId, NAME)).failures, 0);
      }, PATIENT);
      deepEqual([ca.accounts.length, ca.orders.length, ca.issued.length], [1, 1, 1]);
    },
  };
}

/** What was logged about the first attempt that failed. */
async function complaint({ logged }: Life, message: string): Promise<string> {
  return retry(async () => {
    const line = logged.lines.find(({ msg }) => msg === message);
    ok(line !== undefined, logged.messages().join('\n'));
    return line.err?.message ?? '';
  }, PATIENT);
}

suite('on a real disk', { concurrency: 4, ...needsSmallDisk }, () => {
  for (const [what, leaveBytes] of [
    ['full', 0],
    ['so full that a lock has room and a certificate has not', 24 * 1024],
  ] as const)
    test(`that is ${what}, the CA is not asked for anything until there is room`, async (t) => {
      const disk = await smallDisk(t);
      const { ca, life, later, recovered } = await newRig(t, disk.folder);
      disk.fill(leaveBytes);
      await life.manager.start();
      match(await complaint(life, 'certificate not obtained'), /^cannot write ".*": the disk is full; make room$/);
      deepEqual(ca.requests, []);
      disk.makeRoom();
      await later();
      await recovered();
    });

  test('that is full by the time the certificate is issued, it is served, and stored once there is room', async (t) => {
    const disk = await smallDisk(t);
    const { ca, life, later, recovered } = await newRig(t, disk.folder);
    ca.script = ({ step }) => {
      if (step === 'certificate') disk.fill();
      return null;
    };
    await life.manager.start();
    match(await complaint(life, 'certificate not stored'), /^cannot write ".*": the disk is full; make room$/);
    const served = await handshake(life, NAME, ca);
    disk.makeRoom();
    await later();
    await retry(async () => ok(life.logged.messages().includes('certificate stored')), PATIENT);
    await recovered();
    equal(await handshake(life, NAME, ca), served);
  });

  test('that is read-only, what is stored is served and nothing is ordered; renewed once it can be written', async (t) => {
    const disk = await smallDisk(t);
    const { ca, life, storage, issuerId, later, recovered } = await newRig(t, disk.folder);
    const due = { notBefore: Date.now() - 80 * DAY_MS, notAfter: Date.now() + 10 * DAY_MS };
    const old = mint([NAME], ca.authority, due);
    await new CertificateStore(storage, life.logged.log).save(issuerId, NAME, old);
    disk.readOnly(true);
    await life.manager.start();
    match(await complaint(life, 'certificate not obtained'), /the file system is read-only; mount it writable/);
    equal(await handshake(life, NAME, ca), old.fingerprint);
    deepEqual(ca.requests, []);
    disk.readOnly(false);
    await later();
    await retry(async () => ok(life.logged.messages().includes('certificate renewed')), PATIENT);
    await recovered();
  });
});

/** `from`: the number of the operation, counted from 0; `until`: of the first that works again. */
async function playFault(t: TestContext, from: number, until: number): Promise<void> {
  const code = CODES[from % CODES.length]!;
  const cause = Object.assign(new Error(`${code}: made up`), { code });
  const root = join(await temporaryFolder(t), 'storage');
  const storage = new FaultyStorage(new FileStorage(root));
  const { ca, life, later, recovered } = await newRig(t, root, storage);
  let count = 0;
  let isWell = false;
  storage.fault = (_, key) => {
    const isFaulty = !isWell && count >= from && count < until;
    count++;
    return isFaulty ? unwritable(key, cause) : null;
  };
  await life.manager.start();
  await turnOver(life);
  if (life.logged.messages().includes('certificate not stored')) await handshake(life, NAME, ca);
  isWell = true;
  await later();
  await recovered();
  await life.manager.close();
}

suite('on a disk that fails', () => {
  for (const [how, until] of [
    ['from any operation on', () => Number.POSITIVE_INFINITY],
    ['at any single operation', (from: number) => from + 1],
  ] as const)
    test(`${how}, the certificate is obtained once, served when it is there, and stored when the disk is well`, async (t) => {
      const places = await operations(t);
      ok(places.length > 25, `${places.length} operations`);
      const failures: string[] = [];
      const left = [...places.keys()].reverse();
      const play = async (): Promise<void> => {
        for (let from = left.pop(); from !== undefined; from = left.pop())
          await playFault(t, from, until(from)).catch((error: unknown) => {
            failures.push(`${from} ${places[from!]}: ${(error as Error).message}`);
          });
      };
      await Promise.all(Array.from({ length: 8 }, play));
      equal(failures.join('\n\n'), '');
    });

  test('to be quick, what is stored is served at once and what is missing comes all the same', async (t) => {
    const root = join(await temporaryFolder(t), 'storage');
    await mkdir(root);
    const storage = new FaultyStorage(new FileStorage(root));
    const { life, recovered } = await newRig(t, root, storage);
    storage.delayMs = 150;
    await life.manager.start();
    await recovered();
  });
});

/** What a turn without faults does, in order: `store bundle.pem`. */
async function operations(t: TestContext): Promise<readonly string[]> {
  const root = join(await temporaryFolder(t), 'storage');
  const storage = new FaultyStorage(new FileStorage(root));
  const { life } = await newRig(t, root, storage);
  const seen: string[] = [];
  storage.fault = (operation: Operation, key) => {
    seen.push(`${operation} ${key.split('/').slice(-1)}`);
    return null;
  };
  await life.manager.start();
  await turnOver(life);
  await life.manager.close();
  return seen;
}

/** Resolves when the first turn has come to an end, good or bad. */
async function turnOver({ manager, logged }: Life): Promise<void> {
  const isOver = (): boolean => logged.messages().some((msg) => /^certificate (obtained|not )/.test(msg));
  await retry(
    async () => ok(isOver() || manager.gauges()[0]!.lastError !== null, logged.messages().join('\n')),
    PATIENT,
  );
}
