import assert from 'node:assert/strict';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import { limitsOf } from '../../src/certs/renewal/budget.ts';
import { BudgetLedger } from '../../src/certs/renewal/budget-ledger.ts';
import { certificateFolder, certificateLock } from '../../src/certs/storage/certificate-store.ts';
import { FileLocker } from '../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
import { DAY, HOUR, MINUTE, mockTimers, settled, World } from '../support/certificate-world.ts';
import { MemoryLocker } from '../support/memory-storage.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'a.example';
const root = makeAuthority();

test('a holder that was paused while another process took over writes nothing any more, and serves the other’s', async (t) => {
  const folder = await temporaryFolder(t);
  const disk = new FileStorage(folder);
  const paused = Promise.withResolvers<void>();
  const world: World = new World(async (name) => {
    await paused.promise;
    return world.mint(name);
  }, disk);
  const locker = new FileLocker(folder, { beatMs: 1_000, staleMs: 100, pollMs: 10 });
  const manager = world.manager([NAME], disk, locker);
  await manager.start();
  await world.issuer.askedTimes(1);

  // What the others see of a paused process: its lock is no longer refreshed, so it is taken away.
  await unlink(join(folder, 'locks', `${certificateLock(NAME)}.lock`));
  const other = await new FileLocker(folder).acquire(certificateLock(NAME), AbortSignal.timeout(5_000));
  const theirs = await world.mint(NAME);
  await world.store().save('fake', NAME, theirs);
  await other.release();
  paused.resolve();

  await retry(async () => assert.ok(world.logged.messages().includes('certificate not obtained')), {
    deadlineMs: 10_000,
  });
  assert.equal((await world.store().read('fake', NAME))?.fingerprint, theirs.fingerprint);
  assert.deepEqual(world.publisher.names(), []);
  manager.destroy();
  await manager.close();
  const next = world.manager([NAME], disk, new FileLocker(folder));
  await next.load();
  await next.close();
  assert.equal(world.publisher.published[0]?.certificate.fingerprint, theirs.fingerprint);
  assert.match(world.logged.lines[0]?.err?.message ?? '', /another process/);
});

test('a storage that became read-only keeps what is served, says so, and is tried again', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = await world.managerAtRest(NAME);
  const { store, assertWritable } = world.disk;
  const readOnly = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('read-only'), { code: 'storage_unwritable' }));
  world.disk.store = readOnly;
  world.disk.assertWritable = readOnly;
  await world.passHours(60 * 24 + 5);
  assert.equal(world.issuer.asked.length, 1, 'no certificate is obtained that cannot be kept');
  assert.equal(world.publisher.published.length, 1);
  Object.assign(world.disk, { store, assertWritable });
  await world.passHours(2);
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
  assert.equal(manager.gauges()[0]?.failures, 0);
});

test('a storage that answers late delays no handshake and no other name', async () => {
  const world = new World();
  await world.store().save('fake', 'b.example', await world.mint('b.example'));
  const load = world.disk.load.bind(world.disk);
  let isSlow = false;
  world.disk.load = (key) => (isSlow && key.includes(NAME) ? new Promise(() => {}) : load(key));
  const manager = world.manager([NAME, 'b.example', 'c.example']);
  await manager.load();
  isSlow = true;
  await manager.start();
  await world.publisher.times(2);
  manager.destroy();
  assert.deepEqual(new Set(world.publisher.names()), new Set(['b.example', 'c.example']));
});

test('a clock that jumps a day ahead, or back, neither loses the certificate nor floods the CA', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = world.manager([NAME]);
  await manager.start();
  await world.publisher.times(1);
  for (const jump of [DAY, -DAY, -DAY, DAY]) {
    await world.passHours(12);
    world.now += jump;
  }
  await world.passHours(24);
  await manager.close();
  assert.equal(world.issuer.asked.length, 1);
});

test('what was remembered by a clock that ran a month ahead does not keep a name from being tried', async (t) => {
  mockTimers(t);
  const world = new World();
  const details = { type: 'dns', status: 400, detail: 'no', subproblems: [], retryAfterMs: null };
  world.issuer.issueOne = () => Promise.reject(new AcmeProblem('validate', details));
  world.now += 30 * DAY;
  const first = world.manager([NAME]);
  await first.start();
  await settled();
  await first.close();
  world.now -= 30 * DAY;
  world.issuer.issueOne = (name) => world.mint(name);
  const second = world.manager([NAME]);
  await second.start();
  await world.publisher.times(1);
  await second.close();
});

test('a certificate near its end whose attempts fail is told about once a day, until it is renewed', async (t) => {
  mockTimers(t);
  const world = new World();
  const old = mint([NAME], root, { notBefore: world.now - 70 * DAY, notAfter: world.now + 20 * DAY });
  await world.store().save('fake', NAME, old);
  const details = { type: 'dns', status: 400, detail: 'NXDOMAIN', subproblems: [], retryAfterMs: null };
  world.issuer.issueOne = () => Promise.reject(new AcmeProblem('validate', details));
  const manager = world.manager([NAME]);
  await manager.start();
  await settled();
  await world.passHours(24 * 3);
  const told = world.events.filter(({ event }) => event === 'certificate_expiring');
  assert.ok(told.length >= 3 && told.length <= 4, `${told.length} times`);
  assert.equal(told[0]?.notAfter, new Date(old.notAfter).toISOString());
  assert.match(told[0]?.error ?? '', /NXDOMAIN/);
  world.issuer.issueOne = (name) => world.mint(name);
  await world.passHours(24);
  await manager.close();
  assert.equal(world.events.at(-1)?.event, 'certificate_renewed');
});

test('after a restart gauges tell what is left of the limits as it is stored', async () => {
  const world = new World();
  const limits = limitsOf('https://acme-v02.api.letsencrypt.org/directory')!;
  const { log } = world.logged;
  const ledger = (): BudgetLedger =>
    new BudgetLedger({
      issuerId: 'fake',
      limits,
      storage: world.disk,
      locker: new MemoryLocker(world.held),
      log,
      clock: world.clock,
    });
  const cost = { names: [NAME], ari: false, renewal: false };
  await ledger().reserve(cost, new AbortController().signal);
  const manager = world.managerOf([world.wish(NAME, [world.authority(world.issuer, { ledger: ledger() })])]);
  await manager.load();
  const set = manager.gauges()[0]!.budget.find(({ limit }) => limit === 'certificates for the same names');
  assert.equal(set!.left, set!.of - 1);
  await manager.close();
});

test('gauges tell of every name what is measured', async (t) => {
  mockTimers(t);
  const world = new World();
  const start = world.now + 50 * DAY;
  world.issuer.window = async () => ({ start, end: start + DAY, explanationUrl: null, retryAfterMs: null });
  const manager = world.manager([NAME, 'bad.example']);
  world.issuer.issueOne = (name) => (name === NAME ? world.mint(name) : Promise.reject(new Error('no')));
  await manager.start();
  await settled();
  const obtainedAt = world.now;
  world.pass(30_000);
  await settled();
  world.pass(MINUTE);
  await settled();
  await manager.close();
  const { certificate } = world.publisher.published[0]!;
  const [good, bad] = manager.gauges();
  assert.deepEqual(good, {
    name: NAME,
    names: [NAME],
    issuer: 'Fake CA',
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    lastSuccessAt: obtainedAt,
    failures: 0,
    lastError: null,
    nextTurnAt: world.now + 6 * HOUR,
    waitingFor: null,
    window: { start, end: start + DAY, at: start },
    budget: [],
  });
  assert.deepEqual([bad?.notAfter, bad?.lastSuccessAt, bad?.failures, bad?.lastError?.class], [null, null, 2, 'other']);
});

test('a state that was not stored with its certificate is not taken for that of the new one', async () => {
  const world = new World();
  const first = world.manager([NAME]);
  await first.start();
  await world.publisher.times(1);
  await first.close();
  const window = { start: 1, end: 3, at: 2, checkedAt: 1, nextCheckAt: 2, explanationUrl: null, certificateId: 'x' };
  await world.store().saveState('fake', NAME, { ...(await world.state(NAME)), window });
  world.now += HOUR;
  await writeBundle(world);
  const second = world.manager([NAME]);
  await second.start();
  await settled();
  await second.close();
  assert.equal(second.gauges()[0]?.window, null);
  assert.equal(world.issuer.asked.length, 1);
});

/** A process that died right after this wrote nothing else. */
async function writeBundle(world: World): Promise<void> {
  const { keyPem, certPem } = await world.mint(NAME);
  await world.disk.store(`${certificateFolder('fake', NAME)}/bundle.pem`, keyPem + certPem);
}
