// The certificates on demand in memory. One that is due is taken from the resolver, so that the next handshake for it comes
// this way and shows that the name is still used; one of a name that nobody asks for any more is never renewed.
import type { Certificate } from '../certificate.ts';
import type { CertificateResolver } from '../resolver.ts';

/** What of the resolver is used here. */
export type DemandContexts = Pick<CertificateResolver, 'resolve' | 'serves' | 'publish' | 'restore' | 'withdraw'>;

/** What names the file has. */
export interface DemandSites {
  /** Whether the name belongs to a site of the file, with or without a certificate. */
  readonly isConfigured: (name: string) => boolean;
  /** Whether that site has this very name: what handshakes for it get is not ours to change. */
  readonly isSite: (name: string) => boolean;
}

export interface Shelved {
  readonly name: string;
  certificate: Certificate;
  /** When renewing it should be thought of. */
  dueAt: number;
  /** Whether handshakes get it from the resolver. */
  awake: boolean;
}

/** About 6 KiB each. The one that was put here first goes, and is read again from storage at its next handshake. */
const MAX_SHELVED = 5_000;

export class DemandShelf {
  readonly #contexts: DemandContexts;
  readonly #sites: DemandSites;
  readonly #capacity: number;
  readonly #byName = new Map<string, Shelved>();

  constructor(contexts: DemandContexts, sites: DemandSites, capacity = MAX_SHELVED) {
    this.#contexts = contexts;
    this.#sites = sites;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Shelved | undefined {
    return this.#byName.get(name);
  }

  /** Handshakes get it from now on, unless the name has become a site's. Throws when OpenSSL does not take it. */
  publish(name: string, certificate: Certificate, dueAt: number): void {
    if (this.#sites.isConfigured(name)) return;
    this.#contexts.publish(name, certificate);
    this.put(name, certificate, dueAt);
  }

  /** For a certificate that the resolver has. */
  put(name: string, certificate: Certificate, dueAt: number): void {
    if (this.#sites.isSite(name)) return;
    this.#byName.delete(name);
    this.#byName.set(name, { name, certificate, dueAt, awake: true });
    for (const oldest of this.#byName.keys()) {
      if (this.#byName.size <= this.#capacity) return;
      this.delete(oldest);
    }
  }

  delete(name: string): void {
    this.#byName.delete(name);
    if (!this.#sites.isSite(name)) this.#contexts.withdraw(name);
  }

  clear(): void {
    this.#leave();
    for (const name of [...this.#byName.keys()]) this.delete(name);
  }

  /** For a name that the resolver does not know. */
  wake(shelved: Shelved): void {
    shelved.awake = true;
    this.#contexts.restore(shelved.name, shelved.certificate);
  }

  /** Leaves what is a site's by now; puts to sleep what is due; deletes and returns the names of what has ended. */
  look(now: number): readonly string[] {
    this.#leave();
    const ended: string[] = [];
    for (const shelved of this.#byName.values()) {
      if (shelved.certificate.notAfter <= now) ended.push(shelved.name);
      else if (shelved.awake && shelved.dueAt <= now) {
        shelved.awake = false;
        this.#contexts.withdraw(shelved.name);
      }
    }
    for (const name of ended) this.delete(name);
    return ended;
  }

  /** Leaves names that have become a site's to it: at once, or when the wildcard that they stand under has a certificate. */
  #leave(): void {
    for (const { name, certificate, awake } of [...this.#byName.values()]) {
      if (!this.#sites.isConfigured(name)) continue;
      const isLeft = this.#sites.isSite(name) || this.#withdrawn(name);
      if (isLeft) this.#byName.delete(name);
      else if (awake) this.#contexts.restore(name, certificate);
    }
  }

  /** Whether handshakes get another one then. */
  #withdrawn(name: string): boolean {
    this.#contexts.withdraw(name);
    return this.#contexts.serves(name);
  }
}
