// The contract of where certificates go live: the resolver of this process, later of every worker.
import type { CertificatePart, ServedCertificate } from './resolver.ts';

export interface CertificatePublisher {
  /** Throws a PerantaraError when the certificate cannot be served; the one before then stays. */
  publish(pattern: string, certificate: ServedCertificate, part: CertificatePart): void;
  /** The same unchecked, at next to no cost: for one that was published in an earlier life. */
  restore(pattern: string, certificate: ServedCertificate, part: CertificatePart): void;
  withdraw(pattern: string, part: CertificatePart): void;
}
