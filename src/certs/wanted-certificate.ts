// What the manager is to keep: the plan's certificates with whoever issues them, and the operator's own.
import type { ChallengeType, KeyType, ProfileChoice } from '../config/config.ts';
import type { Authority } from './authority.ts';
import type { CertificatePart, ServedCertificate } from './resolver.ts';

export interface WantedIssuer {
  readonly authority: Authority;
  /** null lets the issuer choose. */
  readonly profile: ProfileChoice | null;
}

/** See PlannedCertificate. */
export interface ManagedWish {
  readonly kind: 'managed';
  /** Its identity and folder. */
  readonly name: string;
  /** Host patterns: all on the certificate, and served with it. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  readonly part: CertificatePart;
  readonly challenges: readonly ChallengeType[];
  /** In the order to try. At least one. */
  readonly issuers: readonly WantedIssuer[];
}

/** `certificate`: known to be one that OpenSSL takes. */
export interface SuppliedWish {
  readonly kind: 'supplied';
  readonly host: string;
  readonly certificate: ServedCertificate;
}

export type WantedCertificate = ManagedWish | SuppliedWish;
