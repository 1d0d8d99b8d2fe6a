// The actor that keeps every site's certificate: publishes what is stored, obtains what is missing or due, for ever.
// Never stands between a client and its certificate: handshakes read the resolver, start() never waits for a CA.
import { PerantaraError } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import { pooledMap } from '../core/pooled-map.ts';
import type { Authority } from './authority.ts';
import { type CertificateGauges, gaugesOf } from './events/gauges.ts';
import { Lane } from './lane.ts';
import { ManagedCertificate } from './managed-certificate.ts';
import type { ManagedCertificateServices } from './managed-certificate-services.ts';
import { certificateFolder } from './storage/certificate-store.ts';
import { COMPROMISED } from './storage/compromised-keys.ts';
import { OrphanKeeper } from './storage/orphans.ts';
import { listStored } from './storage/stored-names.ts';
import type { ManagedWish, SuppliedWish, WantedCertificate } from './wanted-certificate.ts';

/** Stored certificates read at once: enough to keep the four threads of Node's file system busy. */
const MAX_LOADS = 16;
/** The clock is looked at no less often: it may jump, and timers stand still while a machine sleeps. */
const MAX_NAP_MS = 3_600_000;
/** How soon a certificate that another process stored is served here. */
const CHANGES_MS = 5_000;
/** How often storage is searched for names that are no longer configured. */
const ORPHANS_MS = 86_400_000;

export class CertificateManager implements Lifecycle {
  readonly #wanted: readonly WantedCertificate[];
  readonly #services: ManagedCertificateServices;
  readonly #orphans: OrphanKeeper;
  /** By name. */
  readonly #managed = new Map<string, ManagedCertificate>();
  /** By every folder that is theirs, whatever the issuer. */
  readonly #byFolder = new Map<string, ManagedCertificate>();
  readonly #flights = new Map<ManagedCertificate, Promise<void>>();
  readonly #lanes = new Map<Authority, Lane>();
  readonly #abort = new AbortController();
  readonly #chores = new Set<Promise<void>>();
  #state: 'new' | 'loaded' | 'running' | 'closed' = 'new';
  #timer: NodeJS.Timeout | undefined;
  #changesTimer: NodeJS.Timeout | undefined;
  #nextLookAt = 0;
  #orphansAt = 0;

  constructor(wanted: readonly WantedCertificate[], services: ManagedCertificateServices) {
    this.#wanted = wanted;
    this.#services = services;
    this.#orphans = new OrphanKeeper(services);
  }

  /** Publishes all stored and supplied certificates. Reads storage only; damaged files are logged and count as missing. */
  async load(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'loaded';
    const { journal, compromised, log } = this.#services;
    await journal.look(); // what changes from now on is news
    await compromised.load().catch((error: unknown) => log.error({ err: error }, 'compromised keys unreadable'));
    for (const wanted of this.#wanted) {
      if (wanted.kind === 'supplied') this.#publishSupplied(wanted);
      else this.#add(wanted);
    }
    await Promise.all(this.#authorities().map(({ ledger }) => ledger?.load()));
    await pooledMap([...this.#managed.values()], MAX_LOADS, (certificate) => certificate.load());
    await this.#inherit();
  }

  /** Loads, if that has not been done, and begins to obtain what is missing or due, in the background. */
  async start(): Promise<void> {
    await this.load();
    if (this.#state !== 'loaded') return;
    this.#state = 'running';
    this.#look();
    this.#watchChanges();
  }

  /** Ends flights under way (an order at a CA is simply left), releases locks, resolves when nothing runs. */
  async close(): Promise<void> {
    this.destroy();
    await Promise.allSettled([...this.#flights.values(), ...this.#chores]);
    await Promise.all(this.#authorities().map((authority) => authority.close()));
  }

  destroy(reason?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    clearTimeout(this.#changesTimer);
    this.#abort.abort(
      reason ?? new PerantaraError('certificate manager closed', { code: 'closed', source: 'internal' }),
    );
    for (const authority of this.#authorities()) void authority.close();
  }

  /** Of every name, in the order of the config. */
  gauges(): readonly CertificateGauges[] {
    const now = this.#services.clock.now();
    return [...this.#managed.values()].map((certificate) => gaugesOf(certificate, now));
  }

  #add(wish: ManagedWish): ManagedCertificate {
    const certificate = new ManagedCertificate(wish, this.#services);
    this.#managed.set(wish.name, certificate);
    for (const { authority } of wish.issuers) {
      this.#byFolder.set(certificateFolder(authority.id, wish.name), certificate);
      if (!this.#lanes.has(authority)) this.#lanes.set(authority, new Lane());
    }
    return certificate;
  }

  #publishSupplied({ host, certificate }: SuppliedWish): void {
    const { compromised, publisher, log } = this.#services;
    try {
      compromised.refuse(certificate, `certificate supplied for "${host}"`);
      publisher.restore(host, certificate, 0);
    } catch (error) {
      log.error({ name: host, err: error }, 'certificate refused');
    }
  }

  /** Names that have nothing of their issuers are served what another one once issued. */
  async #inherit(): Promise<void> {
    const bare = [...this.#managed.values()].filter(({ served }) => served === null);
    if (bare.length === 0) return;
    const { storage, log } = this.#services;
    try {
      const stored = await listStored(storage);
      await pooledMap(bare, MAX_LOADS, async (certificate) => {
        for (const issuerId of stored.issuersOf(certificate.name))
          if (!this.#byFolder.has(certificateFolder(issuerId, certificate.name))) await certificate.inherit(issuerId);
      });
    } catch (error) {
      log.error({ err: error }, 'stored certificates not listed');
    }
  }

  #authorities(): Authority[] {
    return [...this.#lanes.keys()];
  }

  /** Lines up what is due and comes back when the next name is. */
  #look(): void {
    if (this.#state !== 'running') return;
    const now = this.#services.clock.now();
    let nextAt = now + MAX_NAP_MS;
    for (const lane of this.#lanes.values()) lane.clear();
    for (const certificate of this.#managed.values()) {
      if (this.#flights.has(certificate)) continue;
      const at = certificate.dueAt(now);
      if (at > now) nextAt = Math.min(nextAt, at);
      else this.#laneOf(certificate).add(certificate, certificate.urgent(now));
    }
    this.#lookAt(nextAt, now);
    for (const lane of this.#lanes.values()) {
      lane.sort();
      this.#launch(lane);
    }
    this.#searchOrphans(now);
  }

  #lookAt(at: number, now: number): void {
    clearTimeout(this.#timer);
    this.#nextLookAt = at;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, at - now)).unref();
  }

  #laneOf(certificate: ManagedCertificate): Lane {
    return this.#lanes.get(certificate.wish.issuers[0]!.authority)!;
  }

  #launch(lane: Lane): void {
    while (this.#state === 'running') {
      const certificate = lane.take();
      if (certificate === undefined) return;
      this.#flights.set(
        certificate,
        certificate.tend(this.#abort.signal).then(() => this.#land(certificate, lane)),
      );
    }
  }

  #land(certificate: ManagedCertificate, lane: Lane): void {
    lane.land(certificate);
    this.#flights.delete(certificate);
    if (this.#state !== 'running') return;
    const now = this.#services.clock.now();
    const at = certificate.dueAt(now);
    // A look that is overdue was planned by another clock, or before a sleep: its timer does not count that.
    if (at < this.#nextLookAt || this.#nextLookAt < now) this.#lookAt(Math.min(at, now + MAX_NAP_MS), now);
    this.#launch(lane);
  }

  #watchChanges(): void {
    if (this.#state !== 'running') return;
    this.#changesTimer = setTimeout(() => {
      this.#track(this.#takeChanges().finally(() => this.#watchChanges()));
    }, CHANGES_MS).unref();
  }

  /** Keeps no more than what has not ended yet. */
  #track(chore: Promise<void>): void {
    this.#chores.add(chore);
    void chore.finally(() => this.#chores.delete(chore));
  }

  /** What other processes stored is looked at in a turn, like everything. */
  async #takeChanges(): Promise<void> {
    const { journal, compromised, log } = this.#services;
    const changes = await journal.look();
    if (changes !== 'many' && changes.size === 0) return;
    if (changes === 'many' || changes.has(COMPROMISED))
      await compromised.load().catch((error: unknown) => log.error({ err: error }, 'compromised keys unreadable'));
    if (changes === 'many' || changes.has(COMPROMISED))
      for (const certificate of this.#managed.values()) certificate.stir();
    else for (const folder of changes) this.#byFolder.get(folder)?.stir();
    this.#look();
  }

  #searchOrphans(now: number): void {
    if (now < this.#orphansAt && this.#orphansAt - now <= ORPHANS_MS) return;
    this.#orphansAt = now + ORPHANS_MS;
    const names = new Set([...this.#byFolder.keys()]);
    this.#track(this.#orphans.keep(names, this.#abort.signal));
  }
}
