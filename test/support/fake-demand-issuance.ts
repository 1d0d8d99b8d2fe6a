// What obtains certificates on demand, directed by a test: minted at once, held back, or failing.
import type { Certificate } from '../../src/certs/certificate.ts';
import type { DemandStanding, OnDemandIssuance } from '../../src/certs/on-demand/issuance.ts';
import type { CertificateResolver } from '../../src/certs/resolver.ts';
import type { Clock } from '../../src/core/clock.ts';
import { Changes } from './fake-issuer.ts';
import { makeAuthority, mint } from './minted.ts';

const DAY_MS = 86_400_000;
const root = makeAuthority();

export class FakeDemandIssuance implements OnDemandIssuance {
  /** What storage has, by name. */
  readonly kept = new Map<string, Certificate>();
  /** The names asked for so far, and those read from storage. */
  readonly obtained: string[] = [];
  readonly loaded: string[] = [];
  /** Null lets the turn fail. Default: a certificate for 90 days. */
  issue: (name: string, signal: AbortSignal) => Promise<Certificate | null>;
  /** How long after a failure a name is not due. */
  failureMs = 10 * 60_000;
  broken: Error | null = null;
  readonly #clock: Clock;
  readonly #publisher: Pick<CertificateResolver, 'publish'>;
  readonly #changed = new Changes();

  constructor(clock: Clock, publisher: Pick<CertificateResolver, 'publish'>) {
    this.#clock = clock;
    this.#publisher = publisher;
    this.issue = async (name) => this.mint(name);
  }

  mint(name: string, notBefore = this.#clock.now()): Certificate {
    return mint([name], root, { notBefore, notAfter: notBefore + 90 * DAY_MS });
  }

  async stored(): Promise<readonly string[]> {
    if (this.broken !== null) throw this.broken;
    return [...this.kept.keys()];
  }

  async load(name: string): Promise<DemandStanding> {
    this.loaded.push(name);
    if (this.broken !== null) throw this.broken;
    return this.#standing(name);
  }

  async obtain(name: string, signal: AbortSignal): Promise<DemandStanding> {
    this.obtained.push(name);
    this.#changed.tell();
    const certificate = await this.issue(name, signal);
    if (certificate === null) return { ...this.#standing(name), dueAt: this.#clock.now() + this.failureMs };
    this.kept.set(name, certificate);
    this.#publisher.publish(name, certificate);
    return this.#standing(name);
  }

  /** Resolves when it has been asked to obtain so many times. */
  async obtainedTimes(count: number): Promise<void> {
    while (this.obtained.length < count) await this.#changed.next();
  }

  #standing(name: string): DemandStanding {
    const certificate = this.kept.get(name) ?? null;
    const dueAt = certificate === null ? this.#clock.now() : certificate.notAfter - 30 * DAY_MS;
    return { certificate, dueAt };
  }
}
