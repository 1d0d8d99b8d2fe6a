// A certificate manager in a world whose clock stands still unless a test moves it: memory for a disk, issuers that a test
// directs, a publisher that it can wait for.
import { mock, type TestContext } from 'node:test';
import { Authority, type AuthorityOptions } from '../../src/certs/authority.ts';
import type { Certificate } from '../../src/certs/certificate.ts';
import type { CertificateEvent } from '../../src/certs/events/certificate-event.ts';
import type { Issuer } from '../../src/certs/issuer.ts';
import { CertificateManager } from '../../src/certs/manager.ts';
import type { CertificateState } from '../../src/certs/storage/certificate-state.ts';
import { CertificateStore } from '../../src/certs/storage/certificate-store.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { COMPROMISED, CompromisedKeys } from '../../src/certs/storage/compromised-keys.ts';
import type { Locker, Storage } from '../../src/certs/storage/storage.ts';
import type { ManagedWish, WantedCertificate } from '../../src/certs/wanted-certificate.ts';
import { capturedLog } from './captured-log.ts';
import { FakeIssuer, type Issue, RecordingPublisher } from './fake-issuer.ts';
import { MemoryLocker, MemoryStorage } from './memory-storage.ts';
import { makeAuthority, mint } from './minted.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const root = makeAuthority();

export class World {
  now = Date.now();
  readonly clock = { now: (): number => this.now };
  readonly disk: Storage;
  readonly held = new Map<string, Promise<void>>();
  readonly publisher = new RecordingPublisher();
  readonly logged = capturedLog();
  readonly issuer: FakeIssuer;
  /** What an event hook would be told. */
  readonly events: CertificateEvent[] = [];

  constructor(issue?: Issue, disk: Storage = new MemoryStorage()) {
    this.disk = disk;
    this.issuer = new FakeIssuer(issue ?? ((name) => this.mint(name)));
  }

  async mint(name: string, lifetimeMs = 90 * DAY): Promise<Certificate> {
    return mint([name], root, { notBefore: this.now, notAfter: this.now + lifetimeMs });
  }

  authority(issuer: Issuer = this.issuer, options: Partial<AuthorityOptions> = {}): Authority {
    return new Authority({ issuer, ledger: null, rehearsal: null, clock: this.clock, ...options });
  }

  wish(name: string, authorities: readonly Authority[], details: Partial<ManagedWish> = {}): ManagedWish {
    return {
      kind: 'managed',
      name,
      names: [name],
      keyType: 'p256',
      part: 0,
      challenges: ['http-01'],
      issuers: authorities.map((authority) => ({ authority, profile: null })),
      ...details,
    };
  }

  /** Of the one issuer. */
  manager(names: readonly string[], storage = this.disk, locker?: Locker): CertificateManager {
    const authority = this.authority();
    return this.managerOf(
      names.map((name) => this.wish(name, [authority])),
      storage,
      locker,
    );
  }

  /** A manager that runs, and serves the first certificate of this one name. */
  async managerAtRest(name: string): Promise<CertificateManager> {
    const manager = this.manager([name]);
    await manager.start();
    await this.publisher.times(1);
    await settled();
    return manager;
  }

  managerOf(
    wanted: readonly WantedCertificate[],
    storage = this.disk,
    locker: Locker = new MemoryLocker(this.held),
  ): CertificateManager {
    const { log } = this.logged;
    const common = { storage, log, clock: this.clock };
    return new CertificateManager(wanted, {
      ...common,
      store: this.store(storage),
      locker,
      journal: new ChangeJournal(common),
      compromised: new CompromisedKeys(storage),
      publisher: this.publisher,
      tell: (event) => void this.events.push(event),
      random: () => 0,
    });
  }

  store(storage = this.disk): CertificateStore {
    return new CertificateStore(storage, this.logged.log);
  }

  /** As `perantara certs revoke` does: in another process. */
  async compromise(certificate: Certificate): Promise<void> {
    await new CompromisedKeys(this.disk).mark(certificate, this.now, 'test');
    await new ChangeJournal({ storage: this.disk, log: this.logged.log, clock: this.clock }).note(COMPROMISED);
  }

  /** Clock and timers move together, as they do when nothing is wrong. */
  pass(ms: number): void {
    this.now += ms;
    mock.timers.tick(ms);
  }

  /** Hour by hour, as the manager looks at the clock. */
  async passHours(hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour++) {
      this.pass(HOUR);
      await settled();
    }
  }

  state(name: string, issuerId = 'fake'): Promise<CertificateState> {
    return this.store().loadState(issuerId, name);
  }
}

export function mockTimers(t: TestContext): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
}

/** Lets everything that needs neither time nor I/O finish. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
}
