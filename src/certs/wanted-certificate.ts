// What the manager is to keep: the plan's certificates with whoever issues them, and the operator's own.
import { isDeepStrictEqual } from 'node:util';
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

/** What a wish is served as. */
export function placesOf(
  wish: WantedCertificate,
): readonly { readonly pattern: string; readonly part: CertificatePart }[] {
  return wish.kind === 'supplied'
    ? [{ pattern: wish.host, part: 0 }]
    : wish.names.map((pattern) => ({ pattern, part: wish.part }));
}

/** Whether nothing is to change for it. Issuers are the same when they are the same objects. */
export function isSameWish(a: ManagedWish, b: ManagedWish): boolean {
  const { issuers, ...rest } = a;
  const { issuers: others, ...otherRest } = b;
  const hasSameIssuers =
    issuers.length === others.length &&
    issuers.every(({ authority, profile }, i) => {
      const other = others[i]!;
      return authority === other.authority && isDeepStrictEqual(profile, other.profile);
    });
  return hasSameIssuers && isDeepStrictEqual(rest, otherRest);
}
