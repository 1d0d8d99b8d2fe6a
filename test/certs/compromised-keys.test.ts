import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompromisedKeys, keyDigest } from '../../src/certs/storage/compromised-keys.ts';
import { mockTimers, settled, World } from '../support/certificate-world.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const NAME = 'a.example';

test('a certificate whose key is compromised is withdrawn at once, renewed, and its key never used again', async (t) => {
  mockTimers(t);
  const world = new World();
  const first = world.manager([NAME]);
  await first.start();
  await world.publisher.times(1);
  await first.close();
  const bad = world.publisher.published[0]!.certificate;
  await new CompromisedKeys(world.disk).mark(bad, world.now, 'revoked for keyCompromise');
  world.now += 3_600_000;
  let offered = 0;
  world.issuer.issueOne = async (name) => (offered++ === 0 ? bad : world.mint(name));
  const second = world.manager([NAME]);
  await second.start();
  await settled();
  assert.deepEqual(world.publisher.names(), [NAME], 'not even restored from storage');
  world.pass(60_000);
  await world.publisher.times(2);
  await second.close();
  assert.equal(world.issuer.asked.length, 3, 'the CA offered the same key again and was asked anew');
  assert.match(
    world.logged.lines.find(({ event }) => event === 'certificate_failed')?.err?.message ?? '',
    /revoked because the key is compromised .*make a new key/,
  );
  assert.notEqual(keyDigest(world.publisher.published[1]!.certificate.certPem), keyDigest(bad.certPem));
});

test('a running process learns of it from another one', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = await world.managerAtRest(NAME);
  const { certificate } = world.publisher.published[0]!;
  world.now += 3_600_000;
  await world.compromise(certificate);
  world.pass(5_000);
  await world.publisher.times(2);
  await manager.close();
  assert.deepEqual(world.publisher.withdrawn, [NAME]);
  assert.equal(world.logged.lines.at(-1)?.reason, 'key compromised');
});

test('a supplied certificate with such a key is refused with a clear message', async () => {
  const world = new World();
  const certificate = mint([NAME], makeAuthority());
  await new CompromisedKeys(world.disk).mark(certificate, world.now, 'revoked for keyCompromise');
  const manager = world.managerOf([{ kind: 'supplied', host: NAME, certificate }]);
  await manager.load();
  await manager.close();
  assert.deepEqual(world.publisher.names(), []);
  assert.match(
    world.logged.lines[0]?.err?.message ?? '',
    /cannot use the certificate supplied for "a\.example": .* is compromised/,
  );
});
