// What happens to certificates, as values with stable names: fields of log lines, and what a hook is told.
import { messageOf } from '../../core/errors.ts';

export type CertificateEventName =
  | 'certificate_obtained'
  | 'certificate_renewed'
  | 'certificate_failed'
  /** Less than a quarter of its life is left and the last attempt failed. */
  | 'certificate_expiring'
  /** Stored, and no longer configured. */
  | 'certificate_orphaned';

/** Plain JSON; times as ISO 8601. Fields may be added, never renamed. */
export interface CertificateEvent {
  readonly event: CertificateEventName;
  readonly at: string;
  /** Of the certificate: mostly its host. */
  readonly name: string;
  /** Host names and addresses on it; empty when unknown. */
  readonly names: readonly string[];
  /** For people: `acme-v02.api.letsencrypt.org`. */
  readonly issuer: string;
  /** End of the certificate that is served now, or null without one. */
  readonly notAfter: string | null;
  /** Why it was due (see RenewReason); null when it was not. */
  readonly reason: string | null;
  /** In the CA's own words, or null. */
  readonly error: string | null;
  /** When the next attempt follows, or null. */
  readonly nextAttemptAt: string | null;
}

/** Told of every event; returns at once and never throws. */
export type EventSink = (event: CertificateEvent) => void;

export interface CertificateEventFacts {
  readonly now: number;
  readonly name: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly notAfter?: number | null;
  readonly reason?: string | null;
  readonly error?: unknown;
  readonly nextAttemptAt?: number | null;
}

export function certificateEvent(event: CertificateEventName, facts: CertificateEventFacts): CertificateEvent {
  const { now, name, names, issuer, notAfter = null, reason = null, error = null, nextAttemptAt = null } = facts;
  return {
    event,
    at: iso(now),
    name,
    names,
    issuer,
    notAfter: notAfter === null ? null : iso(notAfter),
    reason,
    error: error === null ? null : messageOf(error),
    nextAttemptAt: nextAttemptAt === null ? null : iso(nextAttemptAt),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
