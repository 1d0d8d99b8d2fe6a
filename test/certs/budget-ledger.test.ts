import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import { type BudgetLimits, limitsOf } from '../../src/certs/renewal/budget.ts';
import { BudgetLedger } from '../../src/certs/renewal/budget-ledger.ts';
import type { Storage } from '../../src/certs/storage/storage.ts';
import { DAY, HOUR, MINUTE, mockTimers, settled, World } from '../support/certificate-world.ts';
import { CrashingStorage } from '../support/crashing-storage.ts';
import { MemoryLocker } from '../support/memory-storage.ts';

const LIMITS: BudgetLimits = limitsOf('https://acme-v02.api.letsencrypt.org/directory')!;
const NAME = 'a.example.com';
const signal = new AbortController().signal;
const cost = { names: [NAME], ari: false, renewal: false };

function ledgerOf(world: World, storage: Storage = world.disk, limits: Partial<BudgetLimits> = {}): BudgetLedger {
  return new BudgetLedger({
    issuerId: 'fake',
    limits: { ...LIMITS, ...limits },
    storage,
    locker: new MemoryLocker(world.held),
    log: world.logged.log,
    clock: world.clock,
  });
}

test('processes that share a storage share a budget', async () => {
  const world = new World();
  const set = { published: 3, capacity: 3, refillMs: DAY };
  const ledgers = [1, 2, 3, 4, 5].map(() => ledgerOf(world, world.disk, { set }));
  const waits = await Promise.all(ledgers.map((ledger) => ledger.reserve(cost, signal)));
  assert.equal(waits.filter((wait) => wait === null).length, 3);
  assert.deepEqual(
    waits.find((wait) => wait !== null),
    { at: world.now + DAY, limit: 'certificates for the same names' },
  );
  assert.equal(world.held.size, 0);
});

test('damaged books count as they are remembered, and no order is made when they cannot be kept', async () => {
  const world = new World();
  const ledger = ledgerOf(world, world.disk, { set: { published: 1, capacity: 1, refillMs: DAY } });
  assert.equal(await ledger.reserve(cost, signal), null);
  await world.disk.store('budgets/fake.json', '{"set:');
  assert.notEqual(await ledger.reserve(cost, signal), null);
  const readOnly = ledgerOf(world, new CrashingStorage(world.disk, 0));
  await assert.rejects(readOnly.reserve(cost, signal), /the process is dead/);
});

test('an order that must wait is not made: the log and the state say until when and for which limit', async (t) => {
  mockTimers(t);
  const world = new World();
  const ledger = ledgerOf(world, world.disk, { domain: { published: 2, capacity: 2, refillMs: DAY } });
  const authority = world.authority(world.issuer, { ledger });
  const names = ['a.example.com', 'b.example.com', 'c.example.com'];
  const manager = world.managerOf(names.map((name) => world.wish(name, [authority])));
  await manager.start();
  await world.publisher.times(2);
  await settled();
  assert.equal(world.issuer.asked.length, 2);
  const waiting = { at: world.now + DAY, limit: 'certificates for example.com' };
  const late = names.find((name) => !world.issuer.asked.includes(name))!;
  assert.deepEqual((await world.state(late)).waiting, waiting);
  assert.equal(manager.gauges().find(({ name }) => name === late)?.waitingFor, waiting.limit);
  const line = world.logged.lines.find(({ msg }) => msg === 'certificate waits for a limit of its issuer');
  assert.deepEqual(
    [line?.name, line?.limit, line?.nextAttemptAt],
    [late, waiting.limit, new Date(waiting.at).toISOString()],
  );
  await world.passHours(23);
  assert.equal(world.issuer.asked.length, 2);
  await world.passHours(2);
  await manager.close();
  assert.equal(world.issuer.asked.length, 3);
  assert.equal((await world.state(late)).waiting, null);
});

test('failures that the CA judged are booked, and slow down what would exceed its limit', async (t) => {
  mockTimers(t);
  const world = new World();
  const ledger = ledgerOf(world);
  const authority = world.authority(world.issuer, { ledger });
  const details = { type: 'unauthorized', status: 403, detail: 'no', subproblems: [], retryAfterMs: null };
  world.issuer.issueOne = () => Promise.reject(new AcmeProblem('validate', details));
  const manager = world.managerOf([world.wish(NAME, [authority])]);
  await manager.start();
  await settled();
  const before = ledger.left([NAME]).find(({ limit }) => limit === `failed validations of ${NAME}`);
  assert.equal(before?.left, before!.of - 1);
  for (let day = 0; day < 10; day++) await world.passHours(24);
  await manager.close();
  assert.ok(world.issuer.asked.length <= 13, `${world.issuer.asked.length} attempts in ten days`);
});

test('a renewal in the issuer’s own window passes when the budget of new certificates is used up', async (t) => {
  mockTimers(t);
  const world = new World();
  const ledger = ledgerOf(world, world.disk, { domain: { published: 1, capacity: 1, refillMs: 365 * DAY } });
  const authority = world.authority(world.issuer, { ledger });
  const start = world.now + 2 * DAY;
  const window = { start, end: start + DAY, explanationUrl: null, retryAfterMs: 6 * HOUR };
  world.issuer.window = async () => (world.issuer.asked.length === 1 ? window : null);
  const manager = world.managerOf([world.wish(NAME, [authority])]);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  await world.passHours(3 * 24);
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
});

test('a process that dies again and again within one order pays for one order', async (t) => {
  mockTimers(t);
  const world = new World(() => new Promise(() => {}));
  const ledger = ledgerOf(world);
  for (let life = 0; life < 6; life++) {
    const authority = world.authority(world.issuer, { ledger: ledgerOf(world) });
    const manager = world.managerOf([world.wish(NAME, [authority])]);
    await manager.start();
    await world.issuer.askedTimes(life + 1);
    manager.destroy(); // as far as storage can tell: killed
    world.held.clear();
    world.now += MINUTE;
  }
  await ledger.load();
  const set = ledger.left([NAME]).find(({ limit }) => limit === 'certificates for the same names');
  assert.equal(set?.left, set!.of - 1);
});
