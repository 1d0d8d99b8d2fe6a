// A certificate whose profile is not the one that was wished for must not be renewed for ever because of that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProfileChoice } from '../../src/config/config.ts';
import { mockTimers, settled, World } from '../support/certificate-world.ts';

const NAME = 'a.example';

const cases: readonly {
  readonly what: string;
  readonly wish: ProfileChoice | null;
  readonly ordered: string | null;
}[] = [
  { what: 'was wished for and not offered', wish: { name: 'tlsserver', required: false }, ordered: null },
  { what: 'the issuer chose by itself for an address', wish: null, ordered: 'shortlived' },
];

for (const { what, wish, ordered } of cases)
  test(`a profile that ${what} renews nothing, over a restart too; another wish does, once`, async (t) => {
    mockTimers(t);
    const world = new World();
    world.issuer.profileFor = () => ordered;
    const authority = world.authority();
    const manager = (profile: ProfileChoice | null) =>
      world.managerOf([world.wish(NAME, [authority], { issuers: [{ authority, profile }] })]);
    for (let start = 0; start < 2; start++) {
      const running = manager(wish);
      await running.start();
      await settled();
      await world.passHours(48);
      await running.close();
    }
    assert.equal(world.issuer.asked.length, 1);
    assert.equal((await world.state(NAME)).issued?.profile, ordered);

    for (let start = 0; start < 2; start++) {
      const running = manager({ name: 'classic', required: false });
      await running.start();
      await settled();
      await world.passHours(48);
      await running.close();
    }
    assert.equal(world.issuer.asked.length, 2);
    assert.equal(world.logged.lines.at(-1)?.reason, 'profile changed');
  });
