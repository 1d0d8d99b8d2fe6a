// The actor that keeps every site's certificate: publishes what is stored, obtains what is missing or due, for ever.
// Never stands between a client and its certificate: handshakes read the resolver, start() never waits for a CA.
import { PerantaraError } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Certificate } from './certificate.ts';
import type { Issuer } from './issuer.ts';
import { ManagedCertificate, type ManagedCertificateServices } from './managed-certificate.ts';

/** One host pattern and where its certificate comes from. */
export type WantedCertificate =
  | { readonly host: string; readonly kind: 'managed'; readonly issuer: Issuer }
  | { readonly host: string; readonly kind: 'supplied'; readonly certificate: Certificate };

/** Flights at once, per issuer. */
const MAX_FLIGHTS = 10;
/** The clock is looked at no less often: it may jump, and timers stand still while a machine sleeps. */
const MAX_NAP_MS = 3_600_000;

export class CertificateManager implements Lifecycle {
  readonly #wanted: readonly WantedCertificate[];
  readonly #services: ManagedCertificateServices;
  readonly #managed: ManagedCertificate[] = [];
  readonly #flights = new Map<ManagedCertificate, Promise<void>>();
  readonly #abort = new AbortController();
  #state: 'new' | 'loaded' | 'running' | 'closed' = 'new';
  #timer: NodeJS.Timeout | undefined;

  constructor(wanted: readonly WantedCertificate[], services: ManagedCertificateServices) {
    this.#wanted = wanted;
    this.#services = services;
  }

  /** Publishes all stored and supplied certificates. Reads storage only; damaged files are logged and count as missing. */
  async load(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'loaded';
    const { publisher, log } = this.#services;
    for (const wanted of this.#wanted) {
      if (wanted.kind === 'managed') {
        this.#managed.push(new ManagedCertificate(wanted.host, wanted.issuer, this.#services));
        continue;
      }
      try {
        publisher.publish(wanted.host, wanted.certificate);
      } catch (error) {
        log.error({ name: wanted.host, err: error }, 'certificate refused');
      }
    }
    for (const certificate of this.#managed) await certificate.load();
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

  /** Starts what is due, as far as there is room, and comes back when the next name is. */
  #look(): void {
    if (this.#state !== 'running') return;
    clearTimeout(this.#timer);
    const now = this.#services.clock.now();
    let nextAt = now + MAX_NAP_MS;
    const flying = new Map<Issuer, number>();
    for (const { issuer } of this.#flights.keys()) flying.set(issuer, (flying.get(issuer) ?? 0) + 1);
    // Names that never failed go first, so that broken ones cannot hold the places of healthy ones.
    const idle = this.#managed.filter((certificate) => !this.#flights.has(certificate));
    for (const certificate of idle.sort((a, b) => a.failures - b.failures)) {
      const at = certificate.dueAt(now);
      if (at > now) nextAt = Math.min(nextAt, at);
      else if ((flying.get(certificate.issuer) ?? 0) < MAX_FLIGHTS) {
        flying.set(certificate.issuer, (flying.get(certificate.issuer) ?? 0) + 1);
        this.#fly(certificate);
      }
    }
    this.#timer = setTimeout(() => this.#look(), nextAt - now).unref();
  }

  #fly(certificate: ManagedCertificate): void {
    const flight = certificate.tend(this.#abort.signal).then(() => {
      this.#flights.delete(certificate);
      this.#look();
    });
    this.#flights.set(certificate, flight);
  }
}
