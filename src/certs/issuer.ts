// The contract of everything that hands out certificates: an ACME server, the local CA.
import type { Certificate } from './certificate.ts';

export interface Issuer {
  /** Folder name in storage; stays the same for the same authority. */
  readonly id: string;
  /** For people: `acme-v02.api.letsencrypt.org`, `local CA`. */
  readonly name: string;
  /**
   * Obtains one certificate for all of `names` with a new key. Rejects with a PerantaraError; an AcmeProblem carries the
   * CA's own words. Rejects soon after `signal` aborts, with its reason, and leaves nothing behind.
   */
  issue(names: readonly string[], signal: AbortSignal): Promise<Certificate>;
  /** Whether a stored certificate of this issuer is still worth serving: false when, say, the local root was replaced. */
  recognizes(certificate: Certificate): Promise<boolean>;
  /** Ends what is under way, drops connections, resolves when nothing runs. Idempotent; nothing may be issued afterwards. */
  close(): Promise<void>;
}
