// hostile-inputs item 34: the clock jumps by a day, forth and back, while certificates are kept; a laptop sleeps. The CA
// and the clients live in true time.
import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import type { Certificate } from '../../src/certs/certificate.ts';
import { DAY, HOUR, MINUTE, mockTimers, settled, World } from '../support/certificate-world.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const NAME = 'a.example';
const root = makeAuthority();

/** A world whose clock may be wrong. */
class WrongClock extends World {
  /** True time. */
  truth = this.now;
  readonly orderedAt: number[] = [];

  constructor(lifetimeMs: number) {
    super();
    this.issuer.issueOne = async (name) => {
      this.orderedAt.push(this.truth);
      return mint([name], root, { notBefore: this.truth - HOUR, notAfter: this.truth - HOUR + lifetimeMs });
    };
  }

  get served(): Certificate | undefined {
    return this.publisher.published.at(-1)?.certificate;
  }

  override pass(ms: number): void {
    this.truth += ms;
    super.pass(ms);
  }

  /** Nothing runs meanwhile: neither timers nor anything else. */
  sleep(ms: number): void {
    this.truth += ms;
    this.now += ms;
  }
}

for (const [what, lifetimeMs, days, most] of [
  ['160 hours', 160 * HOUR, 60, 30],
  ['90 days', 90 * DAY, 200, 6],
] as const)
  test(`a clock that jumps a day forth and back every few days keeps certificates of ${what} alive, with few orders`, async (t) => {
    mockTimers(t);
    const world = new WrongClock(lifetimeMs);
    const manager = world.manager([NAME]);
    await manager.start();
    await world.publisher.times(1);
    const jumps = [DAY, -DAY, -DAY, DAY];
    for (let day = 0; day < days; day++) {
      if (day % 3 === 1) world.now += jumps[Math.floor(day / 3) % jumps.length]!;
      for (let hour = 0; hour < 24; hour++) {
        await world.passHours(1);
        ok(world.served!.notAfter > world.truth, `expired on day ${day}`);
      }
    }
    await manager.close();
    ok(world.orderedAt.length >= (days * DAY) / lifetimeMs, 'renewed in time');
    ok(world.orderedAt.length <= most, `${world.orderedAt.length} orders`);
  });

test('a clock that jumps while the CA refuses brings it no more than one attempt for each jump', async (t) => {
  mockTimers(t);
  const world = new WrongClock(90 * DAY);
  const details = { type: 'unauthorized', status: 403, detail: 'no', subproblems: [], retryAfterMs: null };
  world.issuer.issueOne = () => Promise.reject(new AcmeProblem('validate', details));
  const manager = world.manager([NAME]);
  await manager.start();
  await settled();
  await world.passHours(6);
  const before = world.issuer.asked.length;
  equal(before, 4, 'at once, after 1, 10 and 100 minutes');
  for (const jump of [DAY, -DAY, -DAY, DAY]) {
    world.now += jump;
    await world.passHours(2);
  }
  ok(world.issuer.asked.length - before <= 4, `${world.issuer.asked.length - before} attempts`);
  await manager.close();
});

test('a laptop that slept past the end of its certificate renews it within an hour of running', async (t) => {
  mockTimers(t);
  const world = new WrongClock(160 * HOUR);
  const manager = world.manager([NAME]);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  await world.passHours(24);
  world.sleep(20 * DAY);
  await world.passHours(1);
  await manager.close();
  equal(world.orderedAt.length, 2);
  ok(world.served!.notAfter > world.truth);
});

test('a laptop that sleeps with an order under way keeps what comes of it after it wakes', async (t) => {
  mockTimers(t);
  const world = new WrongClock(90 * DAY);
  const { promise, reject } = Promise.withResolvers<never>();
  const { issueOne } = world.issuer;
  world.issuer.issueOne = () => promise;
  const manager = world.manager([NAME]);
  await manager.start();
  await world.issuer.askedTimes(1);
  world.sleep(9 * HOUR);
  world.issuer.issueOne = issueOne;
  reject(new Error('socket hang up'));
  await settled();
  world.pass(2 * MINUTE);
  await settled();
  await manager.close();
  equal(world.publisher.published.length, 1);
  equal(world.orderedAt.length, 1);
});
