import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import { ManagedCertificate } from '../../src/certs/managed-certificate.ts';
import { CertificateStore } from '../../src/certs/storage/certificate-store.ts';
import type { WantedCertificate } from '../../src/certs/wanted-certificate.ts';
import { PerantaraError } from '../../src/core/errors.ts';
import { DAY, HOUR, MINUTE, mockTimers, settled, World } from '../support/certificate-world.ts';
import { CrashingStorage } from '../support/crashing-storage.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const root = makeAuthority();

test('a missing certificate is obtained in the background, stored and published', async () => {
  const world = new World();
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await manager.close();
  assert.deepEqual(world.publisher.names(), ['a.example']);
  assert.deepEqual(
    await new CertificateStore(world.disk, world.logged.log).read('fake', 'a.example'),
    world.publisher.published[0]?.certificate,
  );
  const line = world.logged.lines.find(({ msg }) => msg === 'certificate obtained');
  assert.deepEqual([line?.name, line?.issuer, line?.reason], ['a.example', 'Fake CA', 'missing']);
});

test('start does not wait for the CA', async () => {
  const world = new World(() => new Promise(() => {}));
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.issuer.askedTimes(1);
  manager.destroy();
});

test('a stored certificate is published before start resolves, and the CA is not asked', async () => {
  const world = new World();
  const first = world.manager(['a.example', '*.b.example']);
  await first.start();
  await world.publisher.times(2);
  await first.close();

  const again = new World(() => Promise.reject(new Error('asked')), world.disk);
  const manager = again.manager(['a.example', '*.b.example']);
  await manager.start();
  assert.deepEqual(again.publisher.names(), ['a.example', '*.b.example']);
  await settled();
  await manager.close();
  assert.deepEqual(again.issuer.asked, []);
  assert.deepEqual(again.logged.messages(), []);
});

test('ten names are issued side by side, not more, and the eleventh follows when there is room', async () => {
  const release: (() => void)[] = [];
  const world: World = new World(async (name) => {
    await new Promise<void>((resolve) => release.push(resolve));
    return world.mint(name);
  });
  const names = Array.from({ length: 12 }, (_, index) => `${index}.example`);
  const manager = world.manager(names);
  await manager.start();
  await world.issuer.askedTimes(10);
  await settled();
  assert.equal(world.issuer.asked.length, 10);
  release.shift()?.();
  await world.issuer.askedTimes(11);
  assert.equal(world.issuer.asked.length, 11);
  await manager.start();
  for (let count = 1; count <= 12; count++) {
    await world.issuer.askedTimes(Math.min(12, count + 9));
    release.shift()?.();
  }
  while (release.length > 0) release.shift()?.();
  await world.publisher.times(12);
  await manager.close();
  assert.deepEqual(new Set(world.issuer.asked), new Set(names));
});

test('a failing name delays no other', async () => {
  const world: World = new World(async (name) => {
    if (name.startsWith('bad')) throw new PerantaraError('no', { code: 'x', source: 'issuer' });
    return world.mint(name);
  });
  const bad = Array.from({ length: 15 }, (_, index) => `bad${index}.example`);
  const manager = world.manager([...bad, 'good.example']);
  await manager.start();
  await world.publisher.times(1);
  await manager.close();
  assert.deepEqual(world.publisher.names(), ['good.example']);
});

test('names that failed before do not hold the places of names that never did', async () => {
  const world = new World(() => Promise.reject(new Error('no')));
  const bad = Array.from({ length: 15 }, (_, index) => `bad${index}.example`);
  const first = world.manager(bad);
  await first.start();
  await world.issuer.askedTimes(15);
  await settled();
  await first.close();
  world.now += HOUR;
  world.issuer.issueOne = (name) => (name.startsWith('bad') ? new Promise(() => {}) : world.mint(name));
  const second = world.manager([...bad, 'good.example']);
  await second.start();
  await world.publisher.times(1);
  second.destroy();
  assert.deepEqual(world.publisher.names(), ['good.example']);
});

test('a failure is logged with the CA’s words, remembered, and repeated after 1, 10 and 100 minutes, then daily', async (t) => {
  mockTimers(t);
  const problem = new AcmeProblem('validate "a.example"', {
    type: 'dns',
    status: 400,
    detail: 'DNS problem: NXDOMAIN looking up A for a.example',
    subproblems: [],
    retryAfterMs: null,
  });
  const world = new World(() => Promise.reject(problem));
  const start = world.now;
  const manager = world.manager(['a.example']);
  await manager.start();
  let asked = 0;
  for (const delay of [MINUTE, 10 * MINUTE, 100 * MINUTE, DAY, DAY]) {
    await settled();
    assert.equal(world.issuer.asked.length, ++asked);
    assert.equal((await world.state('a.example')).nextAttemptAt, world.now + delay);
    // Hour by hour, as the manager looks at the clock, up to a millisecond before.
    for (let left = delay - 1; left > 0; left -= HOUR) {
      world.pass(Math.min(HOUR, left));
      await settled();
    }
    assert.equal(world.issuer.asked.length, asked);
    world.pass(1);
  }
  await settled();
  await manager.close();
  const line = world.logged.lines.find(({ msg }) => msg === 'certificate not obtained');
  assert.match(line?.err?.message ?? '', /the CA says: DNS problem: NXDOMAIN looking up A for a\.example \(dns\)$/);
  assert.equal(line?.nextAttemptAt, new Date(start + MINUTE).toISOString());
  assert.match((await world.state('a.example')).lastError?.message ?? '', /NXDOMAIN/);
});

test('what the CA asks for with Retry-After decides when it is asked again', async (t) => {
  mockTimers(t);
  const details = { type: 'rateLimited', status: 429, detail: 'too many', subproblems: [], retryAfterMs: 3 * HOUR };
  const world = new World(() => Promise.reject(new AcmeProblem('order', details)));
  const start = world.now;
  const manager = world.manager(['a.example']);
  await manager.start();
  await settled();
  assert.equal((await world.state('a.example')).nextAttemptAt, start + 3 * HOUR);
  await manager.close();
});

test('a restart does not forget a failure: the CA is asked again when it was to be, and the log says so', async (t) => {
  mockTimers(t);
  const world = new World(() => Promise.reject(new Error('no')));
  const first = world.manager(['a.example']);
  await first.start();
  await settled();
  await first.close();

  const second = world.manager(['a.example']);
  world.issuer.issueOne = (name) => world.mint(name);
  await second.start();
  await settled();
  assert.equal(world.issuer.asked.length, 1);
  const line = world.logged.lines.at(-1);
  assert.equal(line?.msg, 'certificate waits for its next attempt');
  assert.equal(line?.lastError, 'no');
  world.pass(MINUTE);
  await world.publisher.times(1);
  await second.close();
  assert.equal((await world.state('a.example')).lastError, null);
});

test('a certificate is renewed when two thirds of its life are over, and swapped', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  for (let hours = 0; hours < 60 * 24; hours += 1) {
    assert.equal(world.issuer.asked.length, 1);
    await settled();
    world.pass(HOUR);
  }
  await world.publisher.times(2);
  await settled();
  await manager.close();
  const [old, fresh] = world.publisher.published.map(({ certificate }) => certificate);
  assert.notEqual(old?.fingerprint, fresh?.fingerprint);
  assert.deepEqual(
    world.logged.lines.map(({ msg, reason }) => [msg, reason]),
    [
      ['certificate obtained', 'missing'],
      ['certificate renewed', 'lifetime'],
    ],
  );
});

test('a clock that jumps, or a machine that slept, is noticed within an hour of running', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  world.now += 70 * DAY;
  mock.timers.tick(HOUR);
  await world.publisher.times(2);
  await manager.close();
});

test('a CA whose certificates are due at once is not asked in a loop', async (t) => {
  mockTimers(t);
  const world: World = new World(async (name) =>
    mint([name], root, { notBefore: world.now - DAY, notAfter: world.now + HOUR }),
  );
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  assert.equal(world.issuer.asked.length, 1);
  world.pass(5 * MINUTE);
  await world.issuer.askedTimes(2);
  await settled();
  await manager.close();
  assert.equal(world.issuer.asked.length, 2);
});

test('a certificate that does not fit is not stored and not published', async (t) => {
  mockTimers(t);
  const world: World = new World(() => world.mint('other.example'));
  const manager = world.manager(['a.example']);
  await manager.start();
  await settled();
  await manager.close();
  assert.deepEqual(world.publisher.names(), []);
  assert.equal(await world.disk.load('certificates/fake/a.example/bundle.pem'), null);
  assert.match((await world.state('a.example')).lastError?.message ?? '', /it certifies "other\.example"/);
});

test('a certificate that its issuer no longer knows is renewed', async () => {
  const world = new World();
  const first = world.manager(['a.example']);
  await first.start();
  await world.publisher.times(1);
  await first.close();
  world.now += HOUR;
  world.issuer.recognizing = false;
  world.issuer.issueOne = (name) => {
    world.issuer.recognizing = true;
    return world.mint(name);
  };
  const second = world.manager(['a.example']);
  await second.start();
  await world.publisher.times(3);
  await second.close();
  assert.equal(world.logged.lines.at(-1)?.reason, 'issuer changed');
});

test('the storage is tried before the CA is asked', async (t) => {
  mockTimers(t);
  const world = new World();
  const full = new PerantaraError('cannot write "/certs": the disk is full; make room', {
    code: 'storage_unwritable',
    source: 'operator',
  });
  world.disk.assertWritable = () => Promise.reject(full);
  const manager = world.manager(['a.example']);
  await manager.start();
  await settled();
  await manager.close();
  assert.deepEqual(world.issuer.asked, []);
  assert.match(world.logged.lines.at(-1)?.err?.message ?? '', /the disk is full; make room/);
});

test('a certificate that could not be stored is served all the same, and stored later without asking the CA again', async (t) => {
  mockTimers(t);
  const world = new World();
  const store = world.disk.store.bind(world.disk);
  world.disk.store = (key, value) =>
    key.endsWith('bundle.pem') ? Promise.reject(new Error('disk full')) : store(key, value);
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  world.disk.store = store;
  world.pass(MINUTE);
  await settled();
  await manager.close();
  assert.equal(world.issuer.asked.length, 1);
  assert.notEqual(await world.disk.load('certificates/fake/a.example/bundle.pem'), null);
  assert.deepEqual(world.logged.messages(), ['certificate not stored', 'certificate stored']);
});

test('two processes that want the same certificate ask the CA once', async () => {
  const world = new World();
  const [one, other] = [world.manager(['a.example']), world.manager(['a.example'])];
  await Promise.all([one.start(), other.start()]);
  await world.publisher.times(2);
  await Promise.all([one.close(), other.close()]);
  assert.deepEqual(world.issuer.asked, ['a.example']);
  const [first, second] = world.publisher.published.map(({ certificate }) => certificate.fingerprint);
  assert.equal(first, second);
});

test('closing aborts what is under way, counts it as no failure, and releases the lock', async () => {
  const world = new World(
    (_name, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.issuer.askedTimes(1);
  await manager.close();
  await manager.close();
  assert.equal(world.issuer.closed, true);
  assert.deepEqual(world.logged.messages(), []);
  assert.equal((await world.state('a.example')).failures, 0);
  assert.equal(world.held.size, 0);
});

test('supplied certificates are published', async () => {
  const world = new World();
  const supplied = (host: string): WantedCertificate => ({ host, kind: 'supplied', certificate: mint([host], root) });
  const manager = world.managerOf([supplied('a.example'), supplied('b.example')]);
  await manager.start();
  await manager.close();
  assert.deepEqual(world.publisher.names(), ['a.example', 'b.example']);
  assert.deepEqual(world.logged.messages(), []);
});

test('a stored certificate that OpenSSL refuses by now is found out at its first turn and obtained anew', async () => {
  const world = new World();
  const first = world.manager(['a.example']);
  await first.start();
  await world.publisher.times(1);
  await first.close();
  world.now += HOUR;
  const weak = world.publisher.published[0]!.certificate;
  const again = new World(undefined, world.disk);
  again.now = world.now;
  let refused = 0;
  again.publisher.refuse = () => refused++ === 0;
  const manager = again.manager(['a.example']);
  await manager.start();
  await again.publisher.times(2);
  await manager.close();
  assert.deepEqual(again.issuer.asked, ['a.example']);
  assert.notEqual(again.publisher.published[1]!.certificate.certPem, weak.certPem);
  assert.deepEqual(again.logged.messages().slice(0, 2), ['certificate refused', 'certificate obtained']);
});

test('the stored certificates of many names are read a few at a time', async (t) => {
  const names = Array.from({ length: 100 }, (_, index) => `${index}.example`);
  const world = new World();
  const first = world.manager(names);
  await first.start();
  await world.publisher.times(names.length);
  await first.close();

  let reading = 0;
  let most = 0;
  const load = world.disk.load.bind(world.disk);
  t.mock.method(world.disk, 'load', async (key: string) => {
    most = Math.max(most, ++reading);
    await new Promise((resolve) => setImmediate(resolve));
    reading--;
    return load(key);
  });
  const second = world.manager(names);
  await second.load();
  await second.close();
  assert.ok(most > 1 && most <= 20, `${most} at once`);
  assert.equal(world.publisher.published.length, 2 * names.length);
});

test('the work of deciding what is due grows with the number of names, not with its square', async (t) => {
  const looks = t.mock.method(ManagedCertificate.prototype, 'dueAt');
  const names = Array.from({ length: 300 }, (_, index) => `${index}.example`);
  const world = new World();
  const manager = world.manager(names);
  await manager.start();
  await world.publisher.times(names.length);
  await manager.close();
  assert.ok(looks.mock.callCount() <= 3 * names.length, `${looks.mock.callCount()} looks`);
});

test('a damaged stored certificate is reported, kept aside and obtained anew', async () => {
  const world = new World();
  await world.disk.store('certificates/fake/a.example/bundle.pem', 'damaged');
  const manager = world.manager(['a.example']);
  await manager.start();
  await world.publisher.times(1);
  await manager.close();
  assert.equal(await world.disk.load('certificates/fake/a.example/bundle.pem.bad'), 'damaged');
  assert.ok(world.logged.messages().includes('stored certificate unreadable'));
});

test('wherever the process dies, the next one ends with a certificate, having asked the CA at most once more', async () => {
  for (let changes = 0; ; changes++) {
    const world = new World();
    const dying = new CrashingStorage(world.disk, changes);
    const first = world.manager(['a.example'], dying);
    await first.start();
    await settled();
    first.destroy();
    await first.close();
    const stored = await world.disk.load('certificates/fake/a.example/bundle.pem');

    world.held.clear();
    const asked = world.issuer.asked.length;
    world.now += HOUR;
    const second = world.manager(['a.example']);
    await second.start();
    await world.publisher.times(dying.crashed ? world.publisher.published.length || 1 : 2);
    await settled();
    await second.close();
    const store = new CertificateStore(world.disk, world.logged.log);
    assert.notEqual(await store.read('fake', 'a.example'), null, `after ${changes} changes`);
    assert.equal(world.issuer.asked.length - asked, stored === null ? 1 : 0, `after ${changes} changes`);
    if (!dying.crashed) break;
    assert.ok(changes < 20);
  }
});
