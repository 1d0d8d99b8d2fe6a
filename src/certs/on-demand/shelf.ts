// The certificates on demand in memory. One that is due is taken from the resolver, so that the next handshake for it comes
// this way and shows that the name is still used; one of a name that nobody asks for any more is never renewed.
import type { Certificate } from '../certificate.ts';
import type { CertificateResolver } from '../resolver.ts';

/** What of the resolver is used here. */
export type DemandContexts = Pick<CertificateResolver, 'resolve' | 'publish' | 'restore' | 'withdraw'>;

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
  readonly #capacity: number;
  readonly #byName = new Map<string, Shelved>();

  constructor(contexts: DemandContexts, capacity = MAX_SHELVED) {
    this.#contexts = contexts;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Shelved | undefined {
    return this.#byName.get(name);
  }

  /** For a certificate that the resolver has. */
  put(name: string, certificate: Certificate, dueAt: number): void {
    this.#byName.delete(name);
    this.#byName.set(name, { name, certificate, dueAt, awake: true });
    for (const oldest of this.#byName.keys()) {
      if (this.#byName.size <= this.#capacity) return;
      this.delete(oldest);
    }
  }

  delete(name: string): void {
    if (this.#byName.delete(name)) this.#contexts.withdraw(name);
  }

  /** Forgets the names that somebody else looks after from now on; the resolver keeps what it has. */
  leave(isTaken: (name: string) => boolean): void {
    for (const name of [...this.#byName.keys()]) if (isTaken(name)) this.#byName.delete(name);
  }

  clear(): void {
    for (const name of [...this.#byName.keys()]) this.delete(name);
  }

  /** For a name that the resolver does not know. */
  wake(shelved: Shelved): void {
    shelved.awake = true;
    this.#contexts.restore(shelved.name, shelved.certificate);
  }

  /** Puts to sleep what is due; deletes and returns the names of what has ended. */
  look(now: number): readonly string[] {
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
}
