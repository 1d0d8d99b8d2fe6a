// The turns of one issuer's certificates: a few at once, questions that can wait never in the way of obtaining.
import type { ManagedCertificate } from './managed-certificate.ts';

/** At once. */
const MAX_FLIGHTS = 10;
/** Of those that can wait, at once and besides. */
const MAX_CHECKS = 4;

export class Lane {
  /** Due, the first to go last. */
  #urgent: ManagedCertificate[] = [];
  #patient: ManagedCertificate[] = [];
  #flying = 0;
  readonly #checking = new Set<ManagedCertificate>();

  clear(): void {
    this.#urgent = [];
    this.#patient = [];
  }

  add(certificate: ManagedCertificate, urgent: boolean): void {
    (urgent ? this.#urgent : this.#patient).push(certificate);
  }

  /** Names that never failed go first, so that broken ones cannot hold the places of healthy ones. */
  sort(): void {
    this.#urgent.sort((a, b) => a.failures - b.failures).reverse();
  }

  /** The next to have its turn now; undefined when there is none, or no room. */
  take(): ManagedCertificate | undefined {
    if (this.#flying < MAX_FLIGHTS) {
      const certificate = this.#urgent.pop();
      if (certificate !== undefined) {
        this.#flying++;
        return certificate;
      }
    }
    if (this.#checking.size >= MAX_CHECKS) return undefined;
    const certificate = this.#patient.pop();
    if (certificate !== undefined) this.#checking.add(certificate);
    return certificate;
  }

  /** Its turn is over. */
  land(certificate: ManagedCertificate): void {
    if (!this.#checking.delete(certificate)) this.#flying--;
  }
}
