// The actor that keeps every site's certificate: publishes what is stored, obtains what is missing or due, for ever.
// Never stands between a client and its certificate: handshakes read the resolver, start() never waits for a CA.
import { PerantaraError } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import { pooledMap } from '../core/pooled-map.ts';
import type { Issuer } from './issuer.ts';
import { ManagedCertificate, type ManagedCertificateServices } from './managed-certificate.ts';
import type { ServedCertificate } from './resolver.ts';

/** One host pattern and where its certificate comes from. */
export type WantedCertificate =
  | { readonly host: string; readonly kind: 'managed'; readonly issuer: Issuer }
  /** `certificate`: known to be one that OpenSSL takes. */
  | { readonly host: string; readonly kind: 'supplied'; readonly certificate: ServedCertificate };

/** Stored certificates read at once: enough to keep the four threads of Node's file system busy. */
const MAX_LOADS = 16;

/** Flights at once, per issuer. */
const MAX_FLIGHTS = 10;
/** The clock is looked at no less often: it may jump, and timers stand still while a machine sleeps. */
const MAX_NAP_MS = 3_600_000;

export class CertificateManager implements Lifecycle {
  readonly #wanted: readonly WantedCertificate[];
  readonly #services: ManagedCertificateServices;
  readonly #managed: ManagedCertificate[] = [];
  readonly #flights = new Map<ManagedCertificate, Promise<void>>();
  readonly #lanes = new Map<Issuer, Lane>();
  readonly #abort = new AbortController();
  #state: 'new' | 'loaded' | 'running' | 'closed' = 'new';
  #timer: NodeJS.Timeout | undefined;
  #nextLookAt = 0;

  constructor(wanted: readonly WantedCertificate[], services: ManagedCertificateServices) {
    this.#wanted = wanted;
    this.#services = services;
  }

  /** Publishes all stored and supplied certificates. Reads storage only; damaged files are logged and count as missing. */
  async load(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'loaded';
    for (const wanted of this.#wanted) {
      if (wanted.kind === 'supplied') this.#services.publisher.restore(wanted.host, wanted.certificate);
      else this.#managed.push(new ManagedCertificate(wanted.host, wanted.issuer, this.#services));
    }
    for (const issuer of this.#issuers()) this.#lanes.set(issuer, { waiting: [], flying: 0 });
    await pooledMap(this.#managed, MAX_LOADS, (certificate) => certificate.load());
  }

  /** Loads, if that has not been done, and begins to obtain what is missing or due, in the background. */
  async start(): Promise<void> {
    await this.load();
    if (this.#state !== 'loaded') return;
    this.#state = 'running';
    this.#look();
  }

  /** Ends flights under way (an order at a CA is simply left), releases locks, resolves when nothing runs. */
  async close(): Promise<void> {
    this.destroy();
    await Promise.allSettled(this.#flights.values());
    await Promise.all(this.#issuers().map((issuer) => issuer.close()));
  }

  destroy(reason?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#abort.abort(
      reason ?? new PerantaraError('certificate manager closed', { code: 'closed', source: 'internal' }),
    );
    for (const issuer of this.#issuers()) void issuer.close();
  }

  #issuers(): Issuer[] {
    return [...new Set(this.#managed.map(({ issuer }) => issuer))];
  }

  /** Lines up what is due and comes back when the next name is. */
  #look(): void {
    if (this.#state !== 'running') return;
    const now = this.#services.clock.now();
    let nextAt = now + MAX_NAP_MS;
    for (const lane of this.#lanes.values()) lane.waiting = [];
    for (const certificate of this.#managed) {
      if (this.#flights.has(certificate)) continue;
      const at = certificate.dueAt(now);
      if (at > now) nextAt = Math.min(nextAt, at);
      else this.#lanes.get(certificate.issuer)!.waiting.push(certificate);
    }
    this.#lookAt(nextAt, now);
    for (const lane of this.#lanes.values()) {
      // Names that never failed go first, so that broken ones cannot hold the places of healthy ones.
      lane.waiting.sort((a, b) => a.failures - b.failures).reverse();
      this.#launch(lane);
    }
  }

  #lookAt(at: number, now: number): void {
    clearTimeout(this.#timer);
    this.#nextLookAt = at;
    this.#timer = setTimeout(() => this.#look(), at - now).unref();
  }

  #launch(lane: Lane): void {
    while (this.#state === 'running' && lane.flying < MAX_FLIGHTS) {
      const certificate = lane.waiting.pop();
      if (certificate === undefined) return;
      lane.flying++;
      this.#flights.set(
        certificate,
        certificate.tend(this.#abort.signal).then(() => this.#land(certificate, lane)),
      );
    }
  }

  #land(certificate: ManagedCertificate, lane: Lane): void {
    lane.flying--;
    this.#flights.delete(certificate);
    if (this.#state !== 'running') return;
    const now = this.#services.clock.now();
    const at = certificate.dueAt(now);
    if (at < this.#nextLookAt) this.#lookAt(at, now);
    this.#launch(lane);
  }
}

/** One issuer's flights. */
interface Lane {
  /** Due, the first to go last. */
  waiting: ManagedCertificate[];
  flying: number;
}
