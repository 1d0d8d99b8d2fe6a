import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certificate } from '../../src/certs/certificate.ts';
import type { SuppliedWish } from '../../src/certs/wanted-certificate.ts';
import { mockTimers, settled, World } from '../support/certificate-world.ts';
import { FakeIssuer } from '../support/fake-issuer.ts';
import { makeAuthority, mint } from '../support/minted.ts';

/** An issuer whose orders end when the test says so, or are aborted. */
class SlowIssuer extends FakeIssuer {
  readonly aborted: string[] = [];
  readonly orders = new Map<string, PromiseWithResolvers<Certificate>>();

  constructor(id?: string) {
    super((name, signal) => {
      const order = Promise.withResolvers<Certificate>();
      this.orders.set(name, order);
      signal.addEventListener('abort', () => {
        this.aborted.push(name);
        order.reject(signal.reason);
      });
      return order.promise;
    }, id);
  }
}

test('what both configurations want goes on: its order is not disturbed', async (t) => {
  const slow = new SlowIssuer();
  const world = new World();
  const authority = world.authority(slow);
  const manager = world.managerOf([world.wish('a.example', [authority])]);
  t.after(() => manager.close());
  await manager.start();
  await slow.askedTimes(1);
  await manager.adopt([world.wish('a.example', [authority]), world.wish('b.example', [authority])]);
  await slow.askedTimes(2);
  assert.deepEqual(slow.asked, ['a.example', 'b.example']);
  assert.deepEqual(slow.aborted, []);
  slow.orders.get('a.example')!.resolve(await world.mint('a.example'));
  await world.publisher.times(1);
  assert.equal(world.publisher.published[0]!.pattern, 'a.example');
});

test('what is no longer wanted is refused at once, and its order left', async (t) => {
  const slow = new SlowIssuer();
  const world = new World();
  const authority = world.authority(slow);
  const manager = world.managerOf(['a.example', 'b.example'].map((name) => world.wish(name, [authority])));
  t.after(() => manager.close());
  await manager.start();
  await slow.askedTimes(2);
  await manager.adopt([world.wish('b.example', [authority])]);
  assert.deepEqual(slow.aborted, ['a.example']);
  assert.deepEqual(world.publisher.withdrawn, ['a.example']);
  assert.deepEqual(
    manager.gauges().map(({ name }) => name),
    ['b.example'],
  );
  await settled();
  assert.equal((await world.state('a.example')).failures, 0, 'leaving an order is nobody’s failure');
});

test('what is stored of a name that comes anew is served before anybody is asked', async (t) => {
  const world = new World();
  const first = await world.managerAtRest('a.example');
  await first.close();
  const authority = world.authority();
  const manager = world.managerOf([world.wish('b.example', [authority])]);
  t.after(() => manager.close());
  await manager.start();
  await world.publisher.times(2);
  await manager.adopt([world.wish('b.example', [authority]), world.wish('a.example', [authority])]);
  assert.equal(world.publisher.published.at(-1)!.pattern, 'a.example');
  await settled();
  assert.deepEqual(world.issuer.asked, ['a.example', 'b.example']);
});

test('a name that another issuer is to certify keeps its certificate until that one has', async (t) => {
  mockTimers(t);
  const world = new World();
  const other = new SlowIssuer('other');
  const manager = await world.managerAtRest('a.example');
  t.after(() => manager.close());
  const authority = world.authority(other);
  await manager.adopt([world.wish('a.example', [authority])]);
  await world.passHours(2);
  assert.deepEqual(other.asked, ['a.example']);
  assert.deepEqual(world.publisher.withdrawn, []);
  const next = await world.mint('a.example');
  other.orders.get('a.example')!.resolve(next);
  for (let turn = 0; world.publisher.published.at(-1)?.certificate !== next && turn < 20; turn++) await settled();
  assert.equal(world.publisher.published.at(-1)!.certificate.fingerprint, next.fingerprint);
});

test('hosts of a group that shrinks are refused, the others stay; nothing that was under way is published for the former', async (t) => {
  const world = new World();
  const slow = new SlowIssuer();
  const authority = world.authority(slow);
  const both = world.wish('_group.x', [authority], { names: ['a.example', 'b.example'] });
  const manager = world.managerOf([both]);
  t.after(() => manager.close());
  await manager.start();
  await slow.askedTimes(1);
  const late = slow.orders.get('a.example')!;
  await manager.adopt([{ ...both, names: ['a.example'] }]);
  late.resolve(mint(['a.example', 'b.example'], makeAuthority(), { notBefore: world.now, notAfter: world.now + 1e9 }));
  await settled();
  assert.deepEqual(world.publisher.withdrawn, ['b.example']);
  assert.deepEqual(world.publisher.published, []);
});

test('what waited for its turn and is no longer wanted is not begun, whatever lands while others are being ended', async (t) => {
  const stubborn = Promise.withResolvers<void>();
  const world = new World();
  const orders = new Map<string, PromiseWithResolvers<Certificate>>();
  const issuer = new FakeIssuer((name, signal) => {
    const order = Promise.withResolvers<Certificate>();
    orders.set(name, order);
    signal.addEventListener('abort', () => void stubborn.promise.then(() => order.reject(signal.reason)));
    return order.promise;
  });
  const authority = world.authority(issuer);
  const names = Array.from({ length: 12 }, (_, i) => `n${i}.example`);
  const manager = world.managerOf(names.map((name) => world.wish(name, [authority])));
  t.after(() => manager.close());
  await manager.start();
  await issuer.askedTimes(10);
  const waiting = names.filter((name) => !issuer.asked.includes(name));
  const [stays] = issuer.asked;
  const adopted = manager.adopt([world.wish(stays!, [authority])]);
  orders.get(stays!)!.resolve(await world.mint(stays!));
  await world.publisher.times(1);
  await settled();
  stubborn.resolve();
  await adopted;
  await settled();
  assert.equal(waiting.length, 2);
  assert.equal(issuer.asked.length, 10, `asked for ${issuer.asked.slice(10).join(' ')}`);
  assert.deepEqual(world.publisher.names(), [stays]);
});

test('nobody waits for an order that ends slowly, and whoever wants the same name waits for its lock', async (t) => {
  const stubborn = Promise.withResolvers<void>();
  const world = new World();
  const slow = new FakeIssuer(async (name) => {
    await stubborn.promise;
    return world.mint(name);
  });
  const manager = world.managerOf([world.wish('a.example', [world.authority(slow)])]);
  t.after(() => manager.close());
  await manager.start();
  await slow.askedTimes(1);
  const other = new FakeIssuer((name) => world.mint(name), 'other');
  await manager.adopt([world.wish('a.example', [world.authority(other)])]);
  await settled();
  assert.deepEqual(other.asked, []);
  stubborn.resolve();
  await other.askedTimes(1);
  await world.publisher.times(1);
  await settled();
  assert.deepEqual(world.publisher.names(), ['a.example'], 'what the former order brought is not published');
});

test('supplied certificates change places with others', async (t) => {
  const world = new World();
  const authority = makeAuthority();
  const supplied = (host: string): SuppliedWish => ({ kind: 'supplied', host, certificate: mint([host], authority) });
  const [a, b] = [supplied('a.example'), supplied('b.example')];
  const manager = world.managerOf([a]);
  t.after(() => manager.close());
  await manager.start();
  assert.equal(world.publisher.published.length, 1);
  await manager.adopt([a, b]);
  assert.deepEqual(
    world.publisher.published.map(({ pattern }) => pattern),
    ['a.example', 'b.example'],
    'what is the same is not published again',
  );
  await manager.adopt([supplied('a.example')]);
  assert.equal(world.publisher.published.at(-1)!.pattern, 'a.example');
  assert.deepEqual(world.publisher.withdrawn, ['b.example']);
});

test('a manager that has been closed takes nothing up', async () => {
  const world = new World();
  const manager = await world.managerAtRest('a.example');
  await manager.close();
  await manager.adopt([world.wish('b.example', [world.authority()])]);
  assert.deepEqual(world.issuer.asked, ['a.example']);
});
