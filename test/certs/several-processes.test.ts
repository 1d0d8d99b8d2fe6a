import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import { requestRenewal } from '../../src/certs/renewal/renewal-request.ts';
import { FRESH_STATE } from '../../src/certs/storage/certificate-state.ts';
import { certificateFolder } from '../../src/certs/storage/certificate-store.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { DAY, HOUR, mockTimers, settled, World } from '../support/certificate-world.ts';
import { MemoryLocker } from '../support/memory-storage.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const NAME = 'a.example';
const signal = new AbortController().signal;

function journalOf(world: World): ChangeJournal {
  return new ChangeJournal({ storage: world.disk, log: world.logged.log, clock: world.clock });
}

test('a journal tells what others changed since the last look, and nothing of its own', async () => {
  const world = new World();
  const [one, other] = [journalOf(world), journalOf(world)];
  await other.note('certificates/ca/old');
  assert.deepEqual([...(await one.look())], [], 'everything has just been read');
  await other.note('certificates/ca/a');
  await Promise.all([other.note('certificates/ca/b'), one.note('certificates/ca/own')]);
  assert.deepEqual([...(await one.look())], ['certificates/ca/a', 'certificates/ca/b']);
  assert.deepEqual([...(await one.look())], []);
  const late = journalOf(world);
  await late.note('certificates/ca/c');
  assert.deepEqual([...(await one.look())], ['certificates/ca/c'], 'a process that came later');
});

test('who looks too late for single changes looks at everything', async () => {
  const world = new World();
  const [one, other] = [journalOf(world), journalOf(world)];
  await one.look();
  await Promise.all(Array.from({ length: 600 }, (_, index) => other.note(`certificates/ca/${index}`)));
  assert.equal(await one.look(), 'many');
});

test('values of writers that are gone are removed, and damaged ones are passed over', async () => {
  const world = new World();
  const [one, other] = [journalOf(world), journalOf(world)];
  await other.note('certificates/ca/a');
  await world.disk.store('changes/damaged.json', '{');
  await one.look();
  world.now += 3 * DAY;
  await one.look();
  assert.deepEqual(await world.disk.list('changes'), ['changes/damaged.json']);
});

test('a running process serves within seconds what another one has stored, without asking the CA', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = world.manager([NAME, 'b.example']);
  await manager.start();
  await world.publisher.times(2);
  await settled();
  world.now += HOUR;
  const fresh = await world.mint(NAME);
  await world.store().save('fake', NAME, fresh);
  await journalOf(world).note(`certificates/fake/${NAME}`);
  world.pass(5_000);
  await world.publisher.times(3);
  await manager.close();
  assert.equal(world.publisher.published[2]?.certificate.fingerprint, fresh.fingerprint);
  assert.equal(world.issuer.asked.length, 2);
});

test('what another process stores during a turn is served when the turn is over, whatever becomes of it', async (t) => {
  mockTimers(t);
  const { promise, reject } = Promise.withResolvers<never>();
  const world = new World(() => promise);
  const manager = world.manager([NAME]);
  await manager.start();
  await world.issuer.askedTimes(1);
  const fresh = await world.mint(NAME);
  await world.store().save('fake', NAME, fresh);
  await journalOf(world).note(`certificates/fake/${NAME}`);
  world.pass(5_000);
  await settled();
  reject(new Error('paused for too long'));
  await settled();
  world.pass(1);
  await settled();
  await manager.close();
  assert.equal(world.publisher.published[0]?.certificate.fingerprint, fresh.fingerprint);
  assert.equal(world.issuer.asked.length, 1);
});

test('a running process renews what another one asks for, once', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = await world.managerAtRest(NAME);
  world.now += HOUR;
  await request(world);
  world.pass(5_000);
  await world.publisher.times(2);
  await settled();
  await world.passHours(24);
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
  assert.equal(world.logged.lines.at(-1)?.reason, 'requested');
  assert.equal((await world.state(NAME)).requestedAt, null);
});

test('what an operator asks for does not wait for the schedule of failures, but for the CA’s own', async (t) => {
  mockTimers(t);
  const world = new World();
  const refused = (retryAfterMs: number | null) => () =>
    Promise.reject(
      new AcmeProblem('order', { type: 'unauthorized', status: 403, detail: 'no', subproblems: [], retryAfterMs }),
    );
  world.issuer.issueOne = refused(null);
  const manager = world.manager([NAME]);
  await manager.start();
  await settled();
  await request(world);
  world.issuer.issueOne = refused(3 * HOUR);
  world.pass(5_000);
  await settled();
  assert.equal(world.issuer.asked.length, 2);
  await request(world);
  world.pass(5_000);
  await settled();
  assert.equal(world.issuer.asked.length, 2);
  world.issuer.issueOne = (name) => world.mint(name);
  await world.passHours(3);
  await manager.close();
  assert.equal(world.issuer.asked.length, 3);
});

test('looking for changes costs the same with ten thousand names as with one', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = await world.managerAtRest(NAME);
  await journalOf(world).note('certificates/fake/other.example');
  const loads = t.mock.method(world.disk, 'load');
  world.pass(5_000);
  await settled();
  await manager.close();
  assert.equal(loads.mock.callCount(), 1);
});

function request(world: World): Promise<void> {
  const { log } = world.logged;
  const locker = new MemoryLocker(world.held);
  const services = { storage: world.disk, store: world.store(), locker, log, clock: world.clock };
  return requestRenewal(services, ['fake'], NAME, signal);
}

test('a search for orphans that waits for another process delays no news', async (t) => {
  mockTimers(t);
  const world = new World();
  await world.store().save('fake', 'gone.example', await world.mint('gone.example'));
  const orphans = await new MemoryLocker(world.held).acquire('orphans', new AbortController().signal);
  const manager = await world.managerAtRest(NAME);
  world.pass(5_000);
  await settled();
  const newer = mint([NAME], makeAuthority(), { notBefore: world.now + 1, notAfter: world.now + 90 * DAY });
  await world.store().save('fake', NAME, newer);
  const journal = new ChangeJournal({ storage: world.disk, log: world.logged.log, clock: world.clock });
  await journal.note(certificateFolder('fake', NAME));
  world.pass(5_000);
  await settled();
  assert.equal(world.publisher.published.at(-1)?.certificate.fingerprint, newer.fingerprint);
  await orphans.release();
  await manager.close();
});

test('a new certificate that was asked for is not asked for again by the process after a crash', async () => {
  const world = new World();
  const [old, asked] = [await world.mint(NAME), await world.mint(NAME)];
  await world.store().save('fake', NAME, asked);
  // The process died before it could store what it knew about the new one.
  const before = { ...FRESH_STATE, fingerprint: old.fingerprint, requestedAt: world.now - 1_000 };
  await world.store().saveState('fake', NAME, before);
  const manager = world.manager([NAME]);
  await manager.start();
  await settled();
  await manager.close();
  assert.deepEqual(world.issuer.asked, []);
});
