// Names on demand as managed certificates: where they lie, how they are known again, and who else leaves them alone.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OnDemandManaged } from '../../src/certs/on-demand/certificates.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { CompromisedKeys } from '../../src/certs/storage/compromised-keys.ts';
import { listOrphans, OrphanKeeper } from '../../src/certs/storage/orphans.ts';
import { DAY, MINUTE, World } from '../support/certificate-world.ts';
import { MemoryLocker } from '../support/memory-storage.ts';

const NAME = 'shop.example.com';
const LONG = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.com`;
const patient = new AbortController().signal;

function issuance(world: World): OnDemandManaged {
  const { clock, disk: storage, publisher, events } = world;
  const common = { storage, log: world.logged.log, clock };
  return new OnDemandManaged(
    { issuers: [{ authority: world.authority(), profile: null }], challenges: ['http-01'] },
    {
      ...common,
      locker: new MemoryLocker(world.held),
      journal: new ChangeJournal(common),
      compromised: new CompromisedKeys(storage),
      publisher,
      tell: (event) => void events.push(event),
      random: () => 0,
    },
  );
}

test('what was obtained is published, marked in its state, and found again after a restart', async () => {
  const world = new World();
  const { certificate, dueAt } = await issuance(world).obtain(NAME, patient);
  assert.deepEqual(certificate?.names, [NAME]);
  assert.deepEqual(world.publisher.names(), [NAME]);
  assert.ok(dueAt > world.now && dueAt <= world.now + 61 * DAY);
  assert.equal((await world.state(NAME)).onDemand, true);

  const later = issuance(world);
  assert.deepEqual(await later.stored(), [NAME]);
  const loaded = await later.load(NAME);
  assert.equal(loaded.certificate?.fingerprint, certificate?.fingerprint);
  assert.ok(loaded.dueAt > world.now);
  assert.deepEqual(world.publisher.names(), [NAME], 'reading it publishes nothing');
  assert.deepEqual(world.issuer.asked, [NAME]);
});

test('a stored certificate that is not due is not obtained again, one that is due is renewed', async () => {
  const world = new World();
  await issuance(world).obtain(NAME, patient);
  world.now += 30 * DAY;
  await issuance(world).obtain(NAME, patient);
  assert.equal(world.issuer.asked.length, 1);
  world.now += 31 * DAY;
  assert.ok((await issuance(world).load(NAME)).dueAt <= world.now);
  await issuance(world).obtain(NAME, patient);
  assert.equal(world.issuer.asked.length, 2);
  assert.equal((await world.state(NAME)).onDemand, true);
});

test('a failure is remembered by the usual schedule, across a restart', async () => {
  const world = new World(async () => {
    throw new Error('the CA says no');
  });
  const first = await issuance(world).obtain(NAME, patient);
  assert.equal(first.certificate, null);
  assert.ok(first.dueAt >= world.now + MINUTE);
  const again = await issuance(world).obtain(NAME, patient);
  assert.equal(again.dueAt, first.dueAt);
  assert.equal(world.issuer.asked.length, 1);
});

test('one that a site once had is not served on demand', async () => {
  const world = new World();
  const manager = world.manager([NAME]);
  await manager.start();
  await world.publisher.times(1);
  await manager.close();
  const later = issuance(world);
  assert.deepEqual(await later.stored(), []);
  assert.equal((await later.load(NAME)).certificate, null);
});

test('the longest name is stored and found again too', async () => {
  const world = new World();
  await issuance(world).obtain(LONG, patient);
  assert.equal((await issuance(world).stored()).length, 1);
  assert.ok((await issuance(world).load(LONG)).certificate);
});

test('who is no longer wanted gets nothing: an aborted turn rejects', async () => {
  const stop = new AbortController();
  const world = new World((_name, signal) => {
    queueMicrotask(() => stop.abort(new Error('closing')));
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  await assert.rejects(issuance(world).obtain(NAME, stop.signal), /closing/);
});

test('nobody is told that it is not configured; once expired and unused it is removed', async (t: TestContext) => {
  const world = new World();
  await issuance(world).obtain(NAME, patient);
  const { clock, disk: storage } = world;
  const locker = new MemoryLocker(world.held);
  const keeper = new OrphanKeeper({ storage, locker, clock, log: world.logged.log, tell: () => t.assert.fail('told') });
  for (const [days, kept] of [
    [0, true],
    [60, true],
    [31, false],
  ] as const) {
    world.now += days * DAY;
    await keeper.keep(new Set(), patient);
    assert.deepEqual(await listOrphans(storage, new Set()), []);
    assert.equal((await issuance(world).stored()).length > 0, kept, `after ${days} more days`);
  }
});
