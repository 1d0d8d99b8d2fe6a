// The contract of everything that hands out certificates: an ACME server, the local CA.
import type { ChallengeType, KeyType, ProfileChoice } from '../config/config.ts';
import type { Certificate } from './certificate.ts';

/** What is wanted of an issuer. */
export interface CertificateRequest {
  /** Normalised names and IP addresses: all on one certificate. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** null lets the issuer choose. */
  readonly profile: ProfileChoice | null;
  /** Allowed ways to prove the names, the preferred first. */
  readonly challenges: readonly ChallengeType[];
  /** The certificate that this one follows, of the same issuer, or null (RFC 9773 section 5). */
  readonly replaces: Certificate | null;
}

export interface IssuedCertificate {
  readonly certificate: Certificate;
  /** Proved by it; null when an earlier proof was still valid or nothing had to be proved. */
  readonly challenge: ChallengeType | null;
  /** As ordered; null when the issuer chose. */
  readonly profile: string | null;
  /**
   * To be called once the certificate is stored: what was kept to resume its order after a crash, key included, goes.
   * Never rejects. Absent: nothing was kept.
   */
  readonly settle?: () => Promise<void>;
}

/** When the issuer would like a certificate to be renewed (RFC 9773 section 4.2). Milliseconds since the epoch; unchecked. */
export interface RenewalInfo {
  readonly start: number;
  readonly end: number;
  /** A page for people, https, or null. */
  readonly explanationUrl: string | null;
  /** When to ask again, as the issuer wishes, or null. */
  readonly retryAfterMs: number | null;
}

/** RFC 5280 section 5.3.1: the reasons a subscriber gives. */
export type RevocationReason = 'unspecified' | 'keyCompromise' | 'superseded' | 'cessationOfOperation';

export interface Issuer {
  /** Folder name in storage; stays the same for the same authority. */
  readonly id: string;
  /** For people: `acme-v02.api.letsencrypt.org`, `local CA`. */
  readonly name: string;
  /**
   * Obtains one certificate for all names with a new key. Rejects with a PerantaraError; an AcmeProblem carries the CA's
   * own words. Rejects soon after `signal` aborts, with its reason; what the CA has made by then is taken up again by the
   * next call for the same names, also after a restart.
   */
  issue(request: CertificateRequest, signal: AbortSignal): Promise<IssuedCertificate>;
  /** Whether a stored certificate of this issuer is still worth serving: false when, say, the local root was replaced. */
  recognizes(certificate: Certificate): Promise<boolean>;
  /** null when the issuer has no such service. Rejects with a PerantaraError. */
  renewalInfo(certificate: Certificate, signal: AbortSignal): Promise<RenewalInfo | null>;
  /** Resolves when the issuer has revoked it, also when it was revoked before. Rejects with a PerantaraError. */
  revoke(certificate: Certificate, reason: RevocationReason, signal: AbortSignal): Promise<void>;
  /** Ends what is under way, drops connections, resolves when nothing runs. Idempotent; nothing may be issued afterwards. */
  close(): Promise<void>;
}
