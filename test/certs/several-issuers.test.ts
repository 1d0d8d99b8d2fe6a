import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import { PerantaraError } from '../../src/core/errors.ts';
import { DAY, HOUR, MINUTE, mockTimers, settled, World } from '../support/certificate-world.ts';
import { FakeIssuer, type Issue } from '../support/fake-issuer.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const NAME = 'a.example';

function refused(retryAfterMs: number | null = null, type = 'unauthorized'): AcmeProblem {
  return new AcmeProblem('validate', { type, status: 403, detail: 'no', subproblems: [], retryAfterMs });
}

function down(): PerantaraError {
  return new PerantaraError('cannot reach the CA', { code: 'issuer_unreachable', source: 'issuer', retryable: true });
}

/** A world with two issuers: `fake` and `other`. */
function pair(first: Issue | null = null, second: Issue | null = null) {
  const world = new World();
  const mintNow: Issue = (name) => world.mint(name);
  const one = new FakeIssuer(first ?? mintNow, 'fake', 'First CA');
  const two = new FakeIssuer(second ?? mintNow, 'other', 'Second CA');
  const authorities = [world.authority(one), world.authority(two)];
  const manager = (names: readonly string[] = [NAME]) =>
    world.managerOf(names.map((name) => world.wish(name, authorities)));
  return { world, one, two, mintNow, manager };
}

test('the first issuer is asked, and no other while it issues', async () => {
  const { world, one, two, manager } = pair();
  const running = manager();
  await running.start();
  await world.publisher.times(1);
  await running.close();
  assert.deepEqual([one.asked, two.asked], [[NAME], []]);
  assert.ok(one.closed && two.closed);
});

test('the challenge that proved the names last is tried first at the renewal, if it is still allowed', async (t) => {
  mockTimers(t);
  const { world, one } = pair();
  one.challenge = 'tls-alpn-01';
  const challenges = ['http-01', 'tls-alpn-01', 'dns-01'] as const;
  const running = world.managerOf([{ ...world.wish(NAME, [world.authority(one)]), challenges }]);
  await running.start();
  await world.publisher.times(1);
  await world.passHours(61 * 24);
  await running.close();
  assert.deepEqual(
    one.requests.map((request) => request.challenges),
    [challenges, ['tls-alpn-01', 'http-01', 'dns-01']],
  );
});

test('when one issuer fails, the next is asked in the same turn, and the failed one at the next renewal', async (t) => {
  mockTimers(t);
  const { world, one, two, mintNow, manager } = pair(() => Promise.reject(refused()));
  const running = manager();
  await running.start();
  await world.publisher.times(1);
  await settled();
  assert.deepEqual([one.asked.length, two.asked.length], [1, 1]);
  assert.notEqual(await world.disk.load(`certificates/other/${NAME}/bundle.pem`), null);
  await world.passHours(59 * 24);
  assert.deepEqual([one.asked.length, two.asked.length], [1, 1], 'the fallback’s certificate lives its life');
  one.issueOne = mintNow;
  await world.passHours(2 * 24);
  assert.deepEqual([one.asked.length, two.asked.length], [2, 1]);
  await running.close();
  const last = world.publisher.published.at(-1)!.certificate;
  assert.equal((await world.store().read('fake', NAME))?.fingerprint, last.fingerprint);
  assert.deepEqual(
    world.logged.lines.map(({ event, issuer }) => [event, issuer]),
    [
      ['certificate_failed', 'First CA'],
      ['certificate_obtained', 'Second CA'],
      ['certificate_renewed', 'First CA'],
    ],
  );
});

test('an issuer that asked for patience is passed over until then', async (t) => {
  mockTimers(t);
  const { world, one, two, manager } = pair(
    () => Promise.reject(refused(3 * HOUR, 'rateLimited')),
    () => Promise.reject(refused()),
  );
  const running = manager();
  await running.start();
  await settled();
  world.pass(MINUTE);
  await settled();
  world.pass(10 * MINUTE);
  await settled();
  assert.deepEqual([one.asked.length, two.asked.length], [1, 3]);
  await world.passHours(3);
  assert.equal(one.asked.length, 2);
  await running.close();
});

test('after a restart the certificate of the fallback is served, for it is the newest', async (t) => {
  mockTimers(t);
  const { world, one, manager } = pair();
  const first = manager();
  await first.start();
  await world.publisher.times(1);
  await settled();
  one.issueOne = () => Promise.reject(down());
  await world.passHours(60 * 24 + 1);
  await world.publisher.times(2);
  await settled();
  await first.close();
  const second = manager();
  await second.load();
  await second.close();
  const served = world.publisher.published.at(-1)!.certificate;
  assert.equal((await world.store().read('other', NAME))?.fingerprint, served.fingerprint);
});

test('an expired certificate of the newest issuer gives way to an older one that is still good', async () => {
  const { world, manager } = pair();
  const root = makeAuthority();
  const old = mint([NAME], root, { notBefore: world.now - 30 * DAY, notAfter: world.now + 60 * DAY });
  const newer = mint([NAME], root, { notBefore: world.now - 7 * DAY, notAfter: world.now - HOUR });
  await world.store().save('other', NAME, old);
  await world.store().save('fake', NAME, newer);
  const running = manager();
  await running.load();
  await running.close();
  assert.equal(world.publisher.published[0]?.certificate.fingerprint, old.fingerprint);
});

test('an issuer that fails whoever asks comes after healthy ones, until it has had time to recover', async (t) => {
  mockTimers(t);
  const { world, one, two, manager } = pair(() => Promise.reject(down()));
  const names = Array.from({ length: 30 }, (_, index) => `${index}.example`);
  const running = manager(names);
  await running.start();
  await world.publisher.times(30);
  await settled();
  await running.close();
  assert.equal(two.asked.length, 30);
  assert.ok(one.asked.length <= 12, `asked ${one.asked.length} times although it was down`);
});

test('a full disk is nobody’s fault: no issuer is asked, and the first one when there is room', async (t) => {
  mockTimers(t);
  const { world, one, two, manager } = pair();
  const writable = world.disk.assertWritable;
  world.disk.assertWritable = () =>
    Promise.reject(new PerantaraError('the disk is full', { code: 'storage_unwritable', source: 'operator' }));
  const running = manager();
  await running.start();
  await settled();
  world.disk.assertWritable = writable;
  world.pass(MINUTE);
  await world.publisher.times(1);
  await running.close();
  assert.deepEqual([one.asked, two.asked], [[NAME], []]);
});

test('what an issuer that is no longer configured once issued is served until there is another', async (t) => {
  mockTimers(t);
  const world = new World();
  const old = await world.mint(NAME);
  await world.store().save('former', NAME, old);
  await world.store().save('acme-staging-v02.example', 'b.example', await world.mint('b.example'));
  world.now += HOUR;
  const manager = world.manager([NAME, 'b.example']);
  await manager.load();
  assert.deepEqual(
    world.publisher.published.map(({ certificate }) => certificate.fingerprint),
    [old.fingerprint],
    'a staging certificate is never served',
  );
  await manager.start();
  await world.publisher.times(3);
  await settled();
  await manager.close();
  const line = world.logged.lines.find(({ name, event }) => name === NAME && event === 'certificate_renewed');
  assert.equal(line?.reason, 'issuer changed');
});

suite('a rehearsal at the staging authority', () => {
  function rehearsed() {
    const world = new World();
    const staging = new FakeIssuer((name) => world.mint(name), 'staging', 'Staging');
    const authority = world.authority(world.issuer, { rehearsal: staging });
    const manager = () => world.managerOf([world.wish(NAME, [authority])]);
    return { world, staging, manager };
  }

  test('comes after a refusal; the issuer is asked again only when it succeeds', async (t) => {
    mockTimers(t);
    const { world, staging, manager } = rehearsed();
    world.issuer.issueOne = () => Promise.reject(refused());
    staging.issueOne = () => Promise.reject(refused());
    const running = manager();
    await running.start();
    await settled();
    assert.deepEqual([world.issuer.asked.length, staging.asked.length], [1, 0]);
    world.pass(MINUTE);
    await settled();
    world.pass(10 * MINUTE);
    await settled();
    assert.deepEqual([world.issuer.asked.length, staging.asked.length], [1, 2]);
    staging.issueOne = (name) => world.mint(name);
    world.issuer.issueOne = (name) => world.mint(name);
    world.pass(100 * MINUTE);
    await world.publisher.times(1);
    await running.close();
    assert.deepEqual([world.issuer.asked.length, staging.asked.length], [2, 3]);
    assert.deepEqual(await world.disk.list('certificates/staging'), [], 'nothing of it is stored');
    const served = world.publisher.published[0]!.certificate;
    assert.equal((await world.store().read('fake', NAME))?.fingerprint, served.fingerprint);
  });

  test('is remembered by the next process', async (t) => {
    mockTimers(t);
    const { world, staging, manager } = rehearsed();
    world.issuer.issueOne = () => Promise.reject(refused());
    staging.issueOne = () => Promise.reject(refused());
    const first = manager();
    await first.start();
    await settled();
    await first.close();
    world.now += HOUR;
    const second = manager();
    await second.start();
    await settled();
    await second.close();
    assert.deepEqual([world.issuer.asked.length, staging.asked.length], [1, 1]);
  });

  test('is not in the way when the staging authority is down, or refuses what the issuer would take', async (t) => {
    mockTimers(t);
    const { world, staging, manager } = rehearsed();
    world.issuer.issueOne = () => Promise.reject(refused());
    staging.issueOne = () => Promise.reject(down());
    const running = manager();
    await running.start();
    await settled();
    world.pass(MINUTE);
    await settled();
    assert.deepEqual([world.issuer.asked.length, staging.asked.length], [2, 1], 'down: proves nothing');
    staging.issueOne = () => Promise.reject(refused());
    await world.passHours(30);
    await running.close();
    assert.equal(world.issuer.asked.length, 3, 'obeyed for a day');
  });

  test('does not follow a limit or an outage of the issuer', async (t) => {
    mockTimers(t);
    const { world, staging, manager } = rehearsed();
    world.issuer.issueOne = () => Promise.reject(down());
    const running = manager();
    await running.start();
    await settled();
    world.issuer.issueOne = () => Promise.reject(refused(null, 'rateLimited'));
    world.pass(MINUTE);
    await settled();
    world.pass(10 * MINUTE);
    await settled();
    await running.close();
    assert.deepEqual([world.issuer.asked.length, staging.asked.length], [3, 0]);
  });
});
