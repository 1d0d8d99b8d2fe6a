// Which of the certificates that are held for a name goes live: the newest that can be used, of whatever issuer. So a
// certificate of a fallback is served until the first issuer, which is asked again when that one is due, gives a newer one.
import type { Certificate } from './certificate.ts';
import type { CertificatePublisher } from './certificate-publisher.ts';
import type { Holding } from './holding.ts';
import type { CertificatePart } from './resolver.ts';

/**
 * The best first. Usable before unusable (expired, or unknown to its issuer by now: better than none); among these the
 * newest. A compromised key is never used again; what OpenSSL refused is not tried again.
 */
export function rankHoldings(holdings: readonly Holding[], now: number): readonly Holding[] {
  return holdings
    .filter((holding) => holding.certificate !== null && !holding.compromised && !holding.refused)
    .sort((a, b) => Number(b.usable(now)) - Number(a.usable(now)) || b.since - a.since);
}

/** What one name's certificate is published as. */
export class Serving {
  readonly #publisher: CertificatePublisher;
  #patterns: readonly string[];
  readonly #part: CertificatePart;
  #served: Holding | null = null;
  /** Fingerprint of the newest certificate that the publisher took after checking it. */
  #accepted: string | null = null;
  /** Fingerprint of the one that is published for all patterns, checked or not. */
  #published: string | null = null;

  constructor(publisher: CertificatePublisher, patterns: readonly string[], part: CertificatePart) {
    this.#publisher = publisher;
    this.#patterns = patterns;
    this.#part = part;
  }

  /** Where the certificate in use comes from, or null without one. */
  get served(): Holding | null {
    return this.#served;
  }

  /** Somebody else serves the names from now on: here, nothing is published or withdrawn any more. */
  end(): void {
    this.#patterns = [];
  }

  /** The first of a life: unchecked, at next to no cost. */
  restore(holdings: readonly Holding[], now: number): void {
    this.#served = rankHoldings(holdings, now)[0] ?? null;
    const certificate = this.#served?.certificate ?? null;
    if (certificate === null) return;
    for (const pattern of this.#coveredBy(certificate)) this.#publisher.restore(pattern, certificate, this.#part);
    this.#published = certificate.fingerprint;
  }

  /** Serves the best from now on. `onRefused` hears of each that OpenSSL does not take; the next best follows. */
  renew(holdings: readonly Holding[], now: number, onRefused: (error: unknown) => void): void {
    // Also for names that the next best certificate is not for.
    if (this.#served?.compromised) this.#withdraw();
    this.#served = null;
    for (const holding of rankHoldings(holdings, now)) {
      try {
        this.#publish(holding.certificate!);
        this.#served = holding;
        return;
      } catch (error) {
        holding.refuse();
        onRefused(error);
      }
    }
  }

  #publish(certificate: Certificate): void {
    if (certificate.fingerprint === this.#accepted) return;
    const [first, ...others] = this.#coveredBy(certificate);
    if (first === undefined) return;
    this.#publisher.publish(first, certificate, this.#part);
    if (this.#published !== certificate.fingerprint)
      for (const pattern of others) this.#publisher.restore(pattern, certificate, this.#part);
    this.#published = certificate.fingerprint;
    this.#accepted = certificate.fingerprint;
  }

  #withdraw(): void {
    for (const pattern of this.#patterns) this.#publisher.withdraw(pattern, this.#part);
    this.#accepted = null;
    this.#published = null;
  }

  /** A host never gets a certificate that is not for it, also while the names of a group change. */
  #coveredBy({ names }: Certificate): readonly string[] {
    return this.#patterns.filter(
      (pattern) => names.includes(pattern) || names.includes(`*${pattern.slice(pattern.indexOf('.'))}`),
    );
  }
}
