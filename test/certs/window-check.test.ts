import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RenewalInfo } from '../../src/certs/issuer.ts';
import { PerantaraError } from '../../src/core/errors.ts';
import { DAY, HOUR, MINUTE, mockTimers, settled, World } from '../support/certificate-world.ts';

const NAME = 'a.example';

function info(start: number, end: number): RenewalInfo {
  return { start, end, explanationUrl: null, retryAfterMs: 6 * HOUR };
}

async function obtained(world: World, names: readonly string[] = [NAME]) {
  const manager = world.manager(names);
  await manager.start();
  await world.publisher.times(names.length);
  await settled();
  return manager;
}

test('a certificate is renewed at the moment chosen inside the issuer’s window, and says which one it replaces', async (t) => {
  mockTimers(t);
  const world = new World();
  const start = world.now + 10 * DAY;
  world.issuer.window = async () => (world.issuer.asked.length === 1 ? info(start, start + DAY) : null);
  const manager = await obtained(world);
  assert.deepEqual(world.issuer.windowsAsked, [], 'not in the turn that obtains');
  world.pass(MINUTE);
  await settled();
  assert.equal(world.issuer.windowsAsked.length, 1);
  assert.equal((await world.state(NAME)).window?.at, start);
  await world.passHours(10 * 24 - 1);
  assert.equal(world.issuer.asked.length, 1);
  await world.passHours(2);
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
  const first = world.publisher.published[0]!.certificate;
  assert.equal(world.issuer.requests[1]?.replaces?.fingerprint, first.fingerprint);
  assert.equal(world.logged.lines.at(-1)?.reason, 'window');
});

test('a window that moves into the past, as when the certificate is revoked, renews it at once, and not again', async (t) => {
  mockTimers(t);
  const world = new World();
  world.issuer.window = async () => info(world.now + 50 * DAY, world.now + 51 * DAY);
  const manager = await obtained(world);
  await world.passHours(24);
  world.issuer.window = async ({ serial }) =>
    serial === world.publisher.published[0]!.certificate.serial ? info(world.now - HOUR, world.now - MINUTE) : null;
  await world.passHours(24);
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
  assert.equal(world.logged.lines.find(({ event }) => event === 'certificate_renewed')?.reason, 'revoked');
});

test('the issuer is asked at least twice a day, over a restart too', async (t) => {
  mockTimers(t);
  const world = new World();
  const start = world.now + 50 * DAY;
  world.issuer.window = async () => info(start, start + DAY);
  const first = await obtained(world);
  await world.passHours(48);
  await first.close();
  const asked = world.issuer.windowsAsked.length;
  assert.ok(asked >= 4 && asked <= 9, `${asked} times`);
  const second = world.manager([NAME]);
  await second.start();
  await settled();
  world.pass(MINUTE);
  await settled();
  assert.equal(world.issuer.windowsAsked.length, asked, 'the answer is remembered');
  await world.passHours(6);
  await second.close();
  assert.equal(world.issuer.windowsAsked.length, asked + 1);
});

test('an issuer that cannot tell is asked again later, said once, and fails no certificate', async (t) => {
  mockTimers(t);
  const world = new World();
  world.issuer.window = () =>
    Promise.reject(new PerantaraError('cannot reach the CA', { code: 'issuer_unreachable', source: 'issuer' }));
  const manager = await obtained(world);
  await world.passHours(24);
  await manager.close();
  assert.ok(world.issuer.windowsAsked.length > 3);
  const said = world.logged.lines.filter(({ msg }) => msg === 'renewal window not learned from the issuer');
  assert.deepEqual(said.map(({ level }) => level).slice(0, 3), ['warn', 'debug', 'debug']);
  assert.equal((await world.state(NAME)).failures, 0);
});

test('an absurd window is refused and the rule of the lifetime holds', async (t) => {
  mockTimers(t);
  const world = new World();
  world.issuer.window = async () => info(world.now + 36_500 * DAY, world.now + 36_501 * DAY);
  const manager = await obtained(world);
  await world.passHours(61 * 24);
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
  assert.equal(world.logged.lines.find(({ event }) => event === 'certificate_renewed')?.reason, 'lifetime');
});

test('an issuer without such a service is not asked for every name', async (t) => {
  mockTimers(t);
  const world = new World();
  const names = Array.from({ length: 50 }, (_, index) => `${index}.example`);
  const manager = await obtained(world, names);
  await world.passHours(48);
  await manager.close();
  assert.ok(world.issuer.windowsAsked.length <= 4, `${world.issuer.windowsAsked.length} times`);
});

test('questions about windows that are never answered are not in the way of obtaining', async (t) => {
  mockTimers(t);
  const world = new World();
  const names = Array.from({ length: 30 }, (_, index) => `${index}.example`);
  world.issuer.window = () => new Promise(() => {});
  const manager = await obtained(world, names);
  world.pass(2 * MINUTE);
  await settled();
  assert.equal(world.issuer.windowsAsked.length, 4);
  world.pass(60 * DAY);
  await world.publisher.times(names.length + 26);
  manager.destroy();
});

test('an issuer without windows is not asked again and again while the clock is behind the day of the certificate', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = await obtained(world);
  world.now -= DAY;
  await world.passHours(2);
  const asked = world.issuer.windowsAsked.length;
  for (let second = 0; second < 60; second++) {
    world.pass(1_000);
    await settled();
  }
  await manager.close();
  assert.ok(
    world.issuer.windowsAsked.length <= asked + 1,
    `${world.issuer.windowsAsked.length - asked} times in a minute`,
  );
});
