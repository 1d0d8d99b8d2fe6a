// Certificates on demand under virtual time: who is asked what, how often, and what is served meanwhile.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SecureContext } from 'node:tls';
import type { AskAnswer, Asks } from '../../src/certs/on-demand/ask.ts';
import { OnDemandCertificates, type OnDemandLimits } from '../../src/certs/on-demand/on-demand.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { secureContextOptions } from '../../src/server/tls-acceptor.ts';
import { capturedLog } from '../support/captured-log.ts';
import { FakeDemandIssuance } from '../support/fake-demand-issuance.ts';

const NAME = 'shop.example.com';
const CLIENT = '192.0.2.1';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LIMITS: OnDemandLimits = { refuseMs: 5 * MINUTE_MS, perAddressPerHour: 10, perHour: 100, maxPending: 20 };

/** Answers as told, and remembers nothing. */
class FakeAsks implements Asks {
  readonly asked: [name: string, address: string][] = [];
  answer: AskAnswer | ((name: string) => Promise<AskAnswer>) = 'yes';
  readonly remembered = new Map<string, 'yes' | 'no'>();

  known(name: string): 'yes' | 'no' | null {
    return this.remembered.get(name) ?? null;
  }

  close(): void {}

  async ask(name: string, address: string): Promise<AskAnswer> {
    this.asked.push([name, address]);
    return typeof this.answer === 'string' ? this.answer : this.answer(name);
  }
}

async function rig(t: TestContext, limits: Partial<OnDemandLimits> = {}, stored: readonly string[] = []) {
  const { log, lines } = capturedLog();
  const time = { now: Date.now() };
  const clock = { now: () => time.now };
  const resolver = new CertificateResolver({ contextOptions: secureContextOptions(), log });
  const issuance = new FakeDemandIssuance(clock, resolver);
  for (const name of stored) issuance.kept.set(name, issuance.mint(name));
  const asks = new FakeAsks();
  const isConfigured = (name: string): boolean => name === 'www.example.com';
  const services = { issuance, asks, contexts: resolver, isConfigured, isSite: isConfigured, log, clock };
  const names = new OnDemandCertificates({ ...LIMITS, ...limits }, services);
  await names.start();
  t.after(() => names.close());
  /** What a handshake does: the resolver, then this. `undefined`: refused at once. */
  const handshake = async (name: string, address = CLIENT): Promise<SecureContext | null | undefined> => {
    const context = resolver.resolve(name);
    if (context !== null) return context;
    const flight = names.demand(name, address);
    if (flight === null) return undefined;
    return new Promise((resolve) => void flight.wait(resolve));
  };
  const idle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  };
  return { names, issuance, asks, resolver, time, lines, handshake, idle };
}

test('a new name is asked about, obtained and served, and from then on is read from memory', async (t) => {
  const { names, issuance, asks, resolver, handshake } = await rig(t);
  assert.equal(names.serves(NAME), false);
  assert.ok(await handshake('Shop.Example.COM.'));
  assert.deepEqual(asks.asked, [[NAME, CLIENT]]);
  assert.deepEqual(issuance.obtained, [NAME]);
  assert.ok(resolver.serves(NAME));
  assert.ok(names.serves('SHOP.example.com.'));
  assert.ok(await handshake(NAME));
  assert.equal(asks.asked.length, 1);
});

test('a name that cannot have a certificate, or belongs to a site, costs nothing', async (t) => {
  const { names, issuance, asks, lines } = await rig(t);
  for (const name of ['', 'localhost', '192.0.2.1', '*.example.com', 'a..b', 'a.test', 'www.example.com'])
    assert.equal(names.demand(name, CLIENT), null, name);
  assert.deepEqual([asks.asked, issuance.obtained, lines], [[], [], []]);
});

test('a name that is refused is not obtained, and while the answer holds, not asked about', async (t) => {
  const { issuance, asks, handshake } = await rig(t);
  asks.answer = 'no';
  assert.equal(await handshake(NAME), null);
  asks.remembered.set(NAME, 'no');
  assert.equal(await handshake(NAME), undefined);
  assert.equal(asks.asked.length, 1);
  assert.deepEqual(issuance.obtained, []);
});

test('a thousand handshakes for one name are one question and one order', async (t) => {
  const { names, issuance, asks, handshake } = await rig(t);
  const gate = Promise.withResolvers<void>();
  issuance.issue = async (name) => {
    await gate.promise;
    return issuance.mint(name);
  };
  const handshakes = Array.from({ length: 1_000 }, () => handshake(NAME));
  await issuance.obtainedTimes(1);
  const late = handshake(NAME);
  gate.resolve();
  for (const context of await Promise.all([...handshakes, late])) assert.ok(context);
  assert.deepEqual([asks.asked.length, issuance.obtained.length, names.pending], [1, 1, 0]);
});

test('a stored name is served without a question, read at its first handshake only', async (t) => {
  const { names, issuance, asks, handshake } = await rig(t, {}, [NAME]);
  assert.deepEqual(issuance.loaded, [], 'not at the start');
  assert.ok(names.serves(NAME));
  assert.ok(await handshake(NAME));
  assert.ok(await handshake(NAME));
  assert.deepEqual([issuance.loaded, asks.asked, issuance.obtained], [[NAME], [], []]);
});

test('a certificate that is due is served at once and renewed behind it, after asking again', async (t) => {
  const { names, issuance, asks, resolver, time, handshake, idle } = await rig(t);
  const first = await handshake(NAME);
  time.now += 61 * DAY_MS;
  names.look();
  assert.equal(resolver.serves(NAME), false, 'asleep until somebody comes');
  assert.ok(names.serves(NAME), 'but its requests and sessions go on');
  await idle();
  assert.equal(issuance.obtained.length, 1, 'nobody uses it, nobody renews it');

  assert.equal((await handshake(NAME, '192.0.2.9')) !== null, true);
  await idle();
  assert.deepEqual(asks.asked.at(-1), [NAME, '192.0.2.9']);
  assert.equal(issuance.obtained.length, 2);
  assert.deepEqual(issuance.loaded, [], 'memory had it');
  assert.notEqual(await handshake(NAME), first);
  assert.equal(issuance.obtained.length, 2);
});

test('a stored one that is due is renewed too; where the answer is no, it is served until it ends', async (t) => {
  const { names, issuance, asks, time, handshake, idle } = await rig(t, {}, [NAME]);
  asks.answer = 'no';
  time.now += 61 * DAY_MS;
  assert.ok(await handshake(NAME));
  await idle();
  assert.equal(asks.asked.length, 1);
  for (let minute = 0; minute < 10; minute++) {
    time.now += MINUTE_MS;
    names.look();
    assert.ok(await handshake(NAME));
    await idle();
  }
  assert.equal(asks.asked.length, 3, 'as often as an answer holds');
  time.now += 30 * DAY_MS;
  names.look();
  assert.equal(names.serves(NAME), false);
  asks.remembered.set(NAME, 'no');
  assert.equal(await handshake(NAME), undefined);
  assert.deepEqual(issuance.obtained, []);
});

test('a renewal that fails leaves the certificate in service and is tried again when due', async (t) => {
  const { names, issuance, time, handshake, idle } = await rig(t);
  await handshake(NAME);
  issuance.issue = async () => null;
  time.now += 61 * DAY_MS;
  for (let minute = 0; minute <= 20; minute++) {
    names.look();
    assert.ok(await handshake(NAME));
    await idle();
    time.now += MINUTE_MS;
  }
  assert.equal(issuance.obtained.length, 1 + 3);
});

test('an expired certificate in storage is not served: the name counts as new', async (t) => {
  const { issuance, asks, time, handshake } = await rig(t, {}, [NAME, 'b.example.com']);
  time.now += 91 * DAY_MS;
  assert.ok(await handshake(NAME));
  assert.deepEqual([asks.asked.length, issuance.obtained], [1, [NAME]]);
  asks.answer = 'no';
  assert.equal(await handshake('b.example.com'), null);
});

test('a name that failed is left alone as long as the schedule says', async (t) => {
  const { issuance, asks, time, handshake } = await rig(t);
  issuance.issue = async () => null;
  assert.equal(await handshake(NAME), null);
  for (let index = 0; index < 1_000; index++) assert.equal(await handshake(NAME), undefined);
  time.now += issuance.failureMs - 1;
  assert.equal(await handshake(NAME), undefined);
  assert.deepEqual([asks.asked.length, issuance.obtained.length], [1, 1]);
  time.now += 1;
  issuance.issue = async (name) => issuance.mint(name);
  assert.ok(await handshake(NAME));
});

test('one address may bring ten new names in an hour, all together a hundred; nothing is lost to those who have one', async (t) => {
  const { issuance, time, lines, handshake } = await rig(t, { perAddressPerHour: 10, perHour: 25 });
  for (let index = 0; index < 15; index++) await handshake(`${index}.example.com`, CLIENT);
  assert.equal(issuance.obtained.length, 10);
  assert.equal(lines.at(-1)!.reason, 'too many new names from this address');
  for (let index = 0; index < 20; index++) await handshake(`x${index}.example.com`, `198.51.100.${index}`);
  assert.equal(issuance.obtained.length, 25);
  assert.equal(lines.at(-1)!.reason, 'too many new names');
  for (let index = 0; index < 10; index++) assert.ok(await handshake(`${index}.example.com`, CLIENT));
  time.now += 6 * MINUTE_MS;
  assert.ok(await handshake('later.example.com', CLIENT));
  assert.equal(lines.length, 2, 'one line for each reason');
});

test('more names than may be under way at once are refused, and take nothing from the buckets', async (t) => {
  const { names, issuance, handshake, lines } = await rig(t, { maxPending: 3, perAddressPerHour: 5 });
  const gate = Promise.withResolvers<void>();
  issuance.issue = async (name) => {
    await gate.promise;
    return issuance.mint(name);
  };
  const handshakes = Array.from({ length: 12 }, (_, index) => handshake(`${index}.example.com`));
  await issuance.obtainedTimes(3);
  assert.equal(names.pending, 3);
  gate.resolve();
  assert.equal((await Promise.all(handshakes)).filter(Boolean).length, 3);
  assert.equal(lines.at(-1)!.reason, 'too many names under way');
  for (const name of ['a.example.com', 'b.example.com']) assert.ok(await handshake(name));
});

for (const answer of ['unavailable', 'busy'] as const)
  test(`an ask endpoint that is ${answer} refuses new names and hurts no others`, async (t) => {
    const { asks, issuance, time, handshake, idle, names } = await rig(t, {}, [NAME]);
    asks.answer = answer;
    assert.equal(await handshake('new.example.com'), null);
    time.now += 61 * DAY_MS;
    assert.ok(await handshake(NAME));
    await idle();
    assert.deepEqual(issuance.obtained, []);
    asks.answer = 'yes';
    time.now += MINUTE_MS;
    names.look();
    assert.ok(await handshake(NAME));
    await idle();
    assert.deepEqual(issuance.obtained, [NAME], 'renewed when it answers again');
  });

test('storage that cannot be read at the start, or at a handshake, is logged, and other names go on', async (t) => {
  const { issuance, lines, handshake } = await rig(t, {}, [NAME]);
  issuance.broken = new Error('the disk is gone');
  assert.equal(await handshake(NAME), null);
  assert.equal(lines.at(-1)!.msg, 'stored certificate not served');
  assert.ok(await handshake('new.example.com'));
  issuance.broken = null;
  assert.ok(await handshake(NAME), 'it is not forgotten');
});

test('closing ends what is under way: waiting handshakes are refused, nothing begins any more', async (t) => {
  const { names, issuance, handshake } = await rig(t);
  issuance.issue = (_name, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const waiting = handshake(NAME);
  await issuance.obtainedTimes(1);
  await names.close();
  assert.equal(await waiting, null);
  assert.equal(names.pending, 0);
  assert.equal(await handshake('new.example.com'), undefined);
});

test('who stops waiting is forgotten at once', async (t) => {
  const { names, issuance } = await rig(t);
  issuance.issue = (_name, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const flight = names.demand(NAME, CLIENT)!;
  const forget = Array.from({ length: 100 }, () => flight.wait(() => assert.fail('told')));
  assert.equal(flight.waiting, 100);
  for (const leave of forget) leave();
  assert.equal(flight.waiting, 0);
});
