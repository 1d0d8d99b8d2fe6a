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
import { isSameWish, type ManagedWish, placesOf, type WantedCertificate } from './wanted-certificate.ts';

/** Stored certificates read at once: enough to keep the four threads of Node's file system busy. */
const MAX_LOADS = 16;
/** The clock is looked at no less often: it may jump, and timers stand still while a machine sleeps. */
const MAX_NAP_MS = 3_600_000;
/** How soon a certificate that another process stored is served here. */
const CHANGES_MS = 5_000;
/** How often storage is searched for names that are no longer configured. */
const ORPHANS_MS = 86_400_000;

/** A certificate's turn under way. */
interface Flight {
  readonly abort: AbortController;
  readonly landed: Promise<void>;
}

export class CertificateManager implements Lifecycle {
  readonly #services: ManagedCertificateServices;
  readonly #orphans: OrphanKeeper;
  #wanted: readonly WantedCertificate[];
  /** By name. */
  #managed: ReadonlyMap<string, ManagedCertificate> = new Map();
  /** By every folder that is theirs, whatever the issuer. */
  #byFolder: ReadonlyMap<string, ManagedCertificate> = new Map();
  #lanes: ReadonlyMap<Authority, Lane> = new Map();
  readonly #flights = new Map<ManagedCertificate, Flight>();
  readonly #abort = new AbortController();
  readonly #chores = new Set<Promise<void>>();
  #state: 'new' | 'loaded' | 'running' | 'closed' = 'new';
  /** While what is new is being loaded, no turns are given. */
  #isTaking = false;
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
    await this.#take(this.#wanted, []);
  }

  /**
   * Keeps `wanted` instead from now on. What that has in common with what is kept goes on untouched, orders under way
   * included; what is new is loaded and published; what is gone is refused. Never rejects, never waits for an issuer.
   */
  async adopt(wanted: readonly WantedCertificate[]): Promise<void> {
    if (this.#state === 'new') this.#wanted = wanted;
    else if (this.#state !== 'closed') await this.#take(wanted, this.#wanted);
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
    await Promise.allSettled([...[...this.#flights.values()].map(({ landed }) => landed), ...this.#chores]);
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

  /** The one of this name that is kept, or null; for those who only look. */
  find(name: string): ManagedCertificate | null {
    return this.#managed.get(name) ?? null;
  }

  /** Of every name, in the order of the config. */
  gauges(): readonly CertificateGauges[] {
    const now = this.#services.clock.now();
    return [...this.#managed.values()].map((certificate) => gaugesOf(certificate, now));
  }

  async #take(wanted: readonly WantedCertificate[], before: readonly WantedCertificate[]): Promise<void> {
    const managed = new Map<string, ManagedCertificate>();
    for (const wish of wanted) if (wish.kind === 'managed') managed.set(wish.name, this.#managedFor(wish));
    const lanes = new Map<Authority, Lane>();
    const byFolder = new Map<string, ManagedCertificate>();
    for (const certificate of managed.values())
      for (const { authority } of certificate.wish.issuers) {
        byFolder.set(certificateFolder(authority.id, certificate.name), certificate);
        lanes.set(authority, this.#lanes.get(authority) ?? new Lane());
      }
    const fresh = [...managed.values()].filter((each) => this.#managed.get(each.name) !== each);
    const former = [...this.#managed.values()].filter((each) => managed.get(each.name) !== each);
    this.#isTaking = true;
    for (const lane of this.#lanes.values()) lane.clear();
    this.#wanted = wanted;
    this.#managed = managed;
    this.#byFolder = byFolder;
    this.#lanes = lanes;
    this.#dismiss(former);
    this.#publishSupplied(wanted, before);
    await Promise.all(this.#authorities().map(({ ledger }) => ledger?.load()));
    await pooledMap(fresh, MAX_LOADS, (certificate) => certificate.load());
    await this.#inherit(fresh);
    this.#withdraw(wanted, before);
    this.#isTaking = false;
    this.#look();
  }

  /** The same one while nothing about it is to change. */
  #managedFor(wish: ManagedWish): ManagedCertificate {
    const known = this.#managed.get(wish.name);
    return known !== undefined && isSameWish(known.wish, wish) ? known : new ManagedCertificate(wish, this.#services);
  }

  /**
   * Nothing of theirs is published any more. What is under way ends without being waited for: an order at a CA is simply
   * left, and taken up again by whoever wants the same, under the same lock.
   */
  #dismiss(certificates: readonly ManagedCertificate[]): void {
    const reason = new PerantaraError('certificate no longer configured', { code: 'closed', source: 'internal' });
    for (const certificate of certificates) {
      certificate.serving.end();
      this.#flights.get(certificate)?.abort.abort(reason);
    }
  }

  #withdraw(wanted: readonly WantedCertificate[], before: readonly WantedCertificate[]): void {
    const served = new Set(wanted.flatMap(placesOf).map(({ pattern, part }) => `${part} ${pattern}`));
    for (const { pattern, part } of before.flatMap(placesOf))
      if (!served.has(`${part} ${pattern}`)) this.#services.publisher.withdraw(pattern, part);
  }

  /** The operator's own, as far as they are others than before. */
  #publishSupplied(wanted: readonly WantedCertificate[], before: readonly WantedCertificate[]): void {
    const { compromised, publisher, log } = this.#services;
    const known = new Map(before.flatMap((each) => (each.kind === 'supplied' ? [[each.host, each.certificate]] : [])));
    for (const wish of wanted) {
      if (wish.kind !== 'supplied') continue;
      const { host, certificate } = wish;
      const { certPem, keyPem } = certificate;
      const last = known.get(host);
      if (last?.certPem === certPem && last.keyPem === keyPem) continue;
      try {
        compromised.refuse(certificate, `certificate supplied for "${host}"`);
        publisher.restore(host, certificate, 0);
      } catch (error) {
        log.error({ name: host, err: error }, 'certificate refused');
      }
    }
  }

  /** Names that have nothing of their issuers are served what another one once issued. */
  async #inherit(certificates: readonly ManagedCertificate[]): Promise<void> {
    const bare = certificates.filter(({ served }) => served === null);
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
    if (this.#state !== 'running' || this.#isTaking) return;
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
    while (this.#state === 'running' && !this.#isTaking) {
      const certificate = lane.take();
      if (certificate === undefined) return;
      const abort = new AbortController();
      const signal = AbortSignal.any([this.#abort.signal, abort.signal]);
      const landed = certificate.tend(signal).then(() => this.#land(certificate, lane));
      this.#flights.set(certificate, { abort, landed });
    }
  }

  #land(certificate: ManagedCertificate, lane: Lane): void {
    lane.land(certificate);
    this.#flights.delete(certificate);
    if (this.#state !== 'running') return;
    if (this.#managed.get(certificate.name) === certificate) {
      const now = this.#services.clock.now();
      const at = certificate.dueAt(now);
      // A look that is overdue was planned by another clock, or before a sleep: its timer does not count that.
      if (at < this.#nextLookAt || this.#nextLookAt < now) this.#lookAt(Math.min(at, now + MAX_NAP_MS), now);
    }
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
