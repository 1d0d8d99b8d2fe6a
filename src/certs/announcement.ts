// What processes that answer requests have to know of certificates that are looked after in another: plain data, in the order in
// which it came about. Each kind leaves what the others left alone.
import type { CertificatePart, ServedCertificate } from './resolver.ts';

export type Announcement =
  /** Handshakes for `pattern` get it from now on; null: they get none of that part. */
  | {
      readonly kind: 'certificate';
      readonly pattern: string;
      readonly part: CertificatePart;
      readonly certificate: ServedCertificate | null;
    }
  /** HTTP-01. `host` in normal form; null: it is no longer wanted. */
  | { readonly kind: 'token'; readonly host: string; readonly token: string; readonly answer: string | null }
  /** TLS-ALPN-01. `name`: as validators send it; null: it is no longer wanted. */
  | { readonly kind: 'alpn'; readonly name: string; readonly certificate: ServedCertificate | null }
  /** Names that storage has certificates on demand for, as folders are called; `isAll`: and no others. */
  | { readonly kind: 'stored'; readonly names: readonly string[]; readonly isAll: boolean; readonly isGone: boolean };

/** Resolves when everybody who answers requests knows. Never rejects. */
export type Announce = (announcement: Announcement) => Promise<void>;

/** There is nobody else. */
export const announceToNobody: Announce = async () => {};
