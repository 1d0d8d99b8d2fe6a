// Certificates on demand when another configuration comes: whoever is served is served on, and a name that became a site's
// is the site's.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { acmeIssuerId } from '../../src/certs/acme/issuer.ts';
import { CertificateAutomation } from '../../src/certs/automation.ts';
import type { Certificate } from '../../src/certs/certificate.ts';
import { createOnDemand } from '../../src/certs/on-demand/automation.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { FRESH_STATE } from '../../src/certs/storage/certificate-state.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { CompromisedKeys } from '../../src/certs/storage/compromised-keys.ts';
import type { Config, OnDemandConfig } from '../../src/config/config.ts';
import { startAskServer } from '../support/ask-server.ts';
import { settled, World } from '../support/certificate-world.ts';
import { FakeIssuer } from '../support/fake-issuer.ts';
import { MemoryLocker, MemoryStorage } from '../support/memory-storage.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const NAME = 'shop.example.com';
const CLIENT = '192.0.2.1';
const DIRECTORY = 'https://localhost:1/dir';
const LIMITS = {
  allowMs: 1e6,
  refuseMs: 1e6,
  perAddressPerHour: 10,
  perHour: 10,
  maxPending: 10,
  waitMs: 1e4,
  routes: [],
};
const onDemand = { ask: 'http://127.0.0.1:1/', ...LIMITS } as unknown as OnDemandConfig;
const authority = makeAuthority();

class WatchedStorage extends MemoryStorage {
  onList: () => void = () => {};

  override async list(prefix: string): Promise<readonly string[]> {
    this.onList();
    return super.list(prefix);
  }
}

/** NAME has a certificate on demand, and somebody has just come for it. */
async function served(t: TestContext) {
  const world = new World(undefined, new WatchedStorage());
  const { clock, disk: storage } = world;
  const { log } = world.logged;
  const locker = new MemoryLocker(world.held);
  const issuerId = acmeIssuerId(DIRECTORY);
  const lock = await locker.acquire('test', new AbortController().signal);
  await world.store().save(issuerId, NAME, await world.mint(NAME), { lock, replacing: null });
  await world.store().saveState(issuerId, NAME, { ...FRESH_STATE, onDemand: true });
  await lock.release();
  const config = (change: Partial<Config> = {}): Config =>
    ({
      acme: [{ directory: DIRECTORY, email: null, trust: null, profile: null }],
      dns: null,
      onDemand,
      onEvent: null,
      listen: { http: [], https: [], redirectPort: null },
      storage: '',
      sites: [],
      ...change,
    }) as unknown as Config;
  const automation = new CertificateAutomation(config(), { log, clock, contextOptions: {}, storage, locker });
  t.after(() => automation.close());
  await automation.load();
  const flight = automation.onDemand!.demand(NAME, CLIENT)!;
  await new Promise((resolve) => void flight.wait(resolve));
  const { resolver } = automation;
  assert.ok(resolver.serves(NAME));
  return { automation, resolver, storage: storage as WatchedStorage, config };
}

const supplied = (host: string): Config['sites'] => {
  const { certPem, keyPem } = mint([host], authority);
  const files = { form: 'pem', cert: '/none', key: '/none' };
  return [{ host, tls: { kind: 'supplied', files, certPem, keyPem } }] as unknown as Config['sites'];
};

test('other settings of theirs refuse nobody who is served', async (t) => {
  const { automation, resolver, storage, config } = await served(t);
  const seen: boolean[] = [];
  storage.onList = () => void seen.push(automation.onDemand?.serves(NAME) === true && resolver.serves(NAME));
  await automation.adopt(config({ onDemand: { ...onDemand, perHour: 20 } }));
  assert.ok(seen.length > 0 && seen.every(Boolean), `served while the new one looks at storage: ${seen}`);
  assert.ok(automation.onDemand?.serves(NAME) && resolver.serves(NAME));
});

test('another authority renews them when they are due, and they are served until then', async (t) => {
  const { automation, resolver, config } = await served(t);
  const acme = [{ directory: 'https://localhost:2/dir', email: null, trust: null, profile: null }];
  await automation.adopt(config({ acme } as unknown as Partial<Config>));
  assert.ok(automation.onDemand?.serves(NAME) && resolver.serves(NAME));
  await automation.adopt(config({ onDemand: null }));
  assert.equal(resolver.serves(NAME), false);
});

test('a name under a wildcard that the file now has gets the certificate of that', async (t) => {
  const { automation, resolver, config } = await served(t);
  await automation.adopt(config({ sites: supplied('*.example.com') }));
  assert.ok(resolver.serves(NAME));
  resolver.withdraw('*.example.com');
  assert.equal(resolver.serves(NAME), false, 'nobody would ever renew its own');
});

test('a name under a wildcard without a certificate keeps its own until that has one', async (t) => {
  const { automation, resolver, config } = await served(t);
  const tls = {
    kind: 'acme',
    directories: [DIRECTORY],
    challenges: [],
    keyTypes: ['p256'],
    profile: null,
    group: null,
  };
  const sites = [{ host: '*.example.com', tls }] as unknown as Config['sites'];
  await automation.adopt(config({ sites, onDemand: { ...onDemand, perHour: 20 } }));
  assert.ok(resolver.serves(NAME));
  resolver.publish('*.example.com', mint(['*.example.com'], authority));
  automation.onDemand!.look();
  resolver.withdraw('*.example.com');
  assert.equal(resolver.serves(NAME), false);
});

test('an order on demand that ends when its name is a site’s is not served in the place of what the site has', async (t) => {
  const world = new World();
  const { clock, disk: storage } = world;
  const { log } = world.logged;
  const common = { storage, log, clock };
  const order = Promise.withResolvers<Certificate>();
  const issuer = new FakeIssuer(() => order.promise);
  const resolver = new CertificateResolver({ contextOptions: {}, log });
  const ask = await startAskServer(t);
  let sites: Config['sites'] = [];
  const names = createOnDemand({ ...onDemand, ask: ask.url } as OnDemandConfig, {
    ...common,
    locker: new MemoryLocker(world.held),
    journal: new ChangeJournal(common),
    compromised: new CompromisedKeys(storage),
    publisher: resolver,
    contexts: resolver,
    tell: () => {},
    random: () => 0,
    issuers: [{ authority: world.authority(issuer), profile: null }],
    sites: () => sites,
    dns: null,
  });
  t.after(() => names.close());
  await names.start();
  const flight = names.demand(NAME, CLIENT)!;
  await issuer.askedTimes(1);
  sites = supplied(NAME);
  const own = mint([NAME], authority);
  resolver.publish(NAME, own);
  const context = resolver.resolve(NAME);
  names.look();
  order.resolve(await world.mint(NAME));
  await new Promise((resolve) => void flight.wait(resolve));
  await settled();
  assert.equal(resolver.resolve(NAME), context);
  world.now += 89 * 86_400_000;
  names.look();
  assert.equal(resolver.resolve(NAME), context, 'it is not the on-demand side’s to withdraw');
});

test('a configuration that is being adopted while all closes leaves nothing running', async (t) => {
  const { automation, storage, config } = await served(t);
  const listing = Promise.withResolvers<void>();
  storage.onList = () => listing.resolve();
  const adopted = automation.adopt(config({ onDemand: { ...onDemand, perHour: 20 }, sites: supplied('a.example') }));
  await listing.promise;
  await automation.close();
  await adopted;
  assert.equal(automation.onDemand!.isOpen, false);
});
