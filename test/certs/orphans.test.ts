import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRESH_STATE } from '../../src/certs/storage/certificate-state.ts';
import { listOrphans } from '../../src/certs/storage/orphans.ts';
import { DAY, mockTimers, settled, World } from '../support/certificate-world.ts';

const OLD = 'certificates/fake/old.example';

async function worldWithOrphan(lifetimeMs: number) {
  const world = new World();
  await world.store().save('fake', 'old.example', await world.mint('old.example', lifetimeMs));
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  return { world, manager };
}

test('a name that is no longer configured is told about once, listed with its date, and not renewed', async (t) => {
  mockTimers(t);
  const { world, manager } = await worldWithOrphan(90 * DAY);
  const since = world.now;
  await world.passHours(3 * 24);
  await manager.close();
  assert.deepEqual(
    world.events.filter(({ event }) => event === 'certificate_orphaned').map(({ name }) => name),
    ['old.example'],
  );
  const configured = new Set(['certificates/fake/a.example']);
  assert.deepEqual(await listOrphans(world.disk, configured), [
    { folder: OLD, issuerId: 'fake', name: 'old.example', since },
  ]);
  assert.deepEqual(world.issuer.asked, ['a.example']);
});

test('it is removed when it has been one for a month and has expired, not before', async (t) => {
  mockTimers(t);
  const { world, manager } = await worldWithOrphan(40 * DAY);
  await world.passHours(39 * 24);
  assert.notEqual(await world.disk.load(`${OLD}/bundle.pem`), null, 'a month has passed, it lives still');
  await world.passHours(3 * 24);
  await manager.close();
  assert.deepEqual(await world.disk.list(OLD), []);
  assert.notDeepEqual(await world.disk.list('certificates/fake/a.example'), []);
  assert.equal(await world.disk.load('orphans.json'), '{}\n');
});

test('one that expired early still has its month', async (t) => {
  mockTimers(t);
  const { world, manager } = await worldWithOrphan(DAY);
  await world.passHours(29 * 24);
  assert.notEqual(await world.disk.load(`${OLD}/bundle.pem`), null);
  await manager.close();
});

test('a name that comes back is no orphan any more, and its month begins anew when it goes again', async (t) => {
  mockTimers(t);
  const { world, manager } = await worldWithOrphan(DAY);
  await manager.close();
  await world.passHours(24 * 29);
  const back = world.manager(['a.example', 'old.example']);
  world.issuer.issueOne = () => new Promise(() => {});
  await back.load();
  await back.start();
  await settled();
  back.destroy();
  world.held.clear();
  await world.passHours(48);
  world.issuer.issueOne = (name) => world.mint(name);
  const gone = world.manager(['a.example']);
  await gone.start();
  await settled();
  await gone.close();
  assert.notEqual(await world.disk.load(`${OLD}/bundle.pem`), null);
});

test('a certificate that was obtained on demand is no orphan', async (t) => {
  mockTimers(t);
  const world = new World();
  await world.store().save('fake', 'old.example', await world.mint('old.example'));
  await world.store().saveState('fake', 'old.example', { ...FRESH_STATE, onDemand: true });
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  await manager.close();
  assert.deepEqual(await listOrphans(world.disk, new Set(['certificates/fake/a.example'])), []);
  assert.ok(!world.events.some(({ event }) => event === 'certificate_orphaned'));
});
