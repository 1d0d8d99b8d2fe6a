// What is measured of every certificate that is kept: a plain value for status pages and metrics. Reads memory only.

import type { ManagedCertificate } from '../managed-certificate.ts';
import type { FailureClass } from '../renewal/attempt-failure.ts';
import type { BudgetLeft } from '../renewal/budget-ledger.ts';

/** Times in milliseconds since the epoch. */
export interface CertificateGauges {
  readonly name: string;
  readonly names: readonly string[];
  /** Of the certificate that is served, for people; null without one. */
  readonly issuer: string | null;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  /** When a certificate was last obtained, from whichever issuer. */
  readonly lastSuccessAt: number | null;
  /** Failed attempts in a row; 0 when the last one succeeded. */
  readonly failures: number;
  readonly lastError: { readonly at: number; readonly class: FailureClass; readonly message: string } | null;
  /** When the next turn is: a renewal, a repeated attempt, or a question to the issuer. null: the operator's own files. */
  readonly nextTurnAt: number | null;
  /** The limit that an order waits for, or null. */
  readonly waitingFor: string | null;
  /** When the issuer would like it to be renewed, and the moment chosen inside; null when it does not say. */
  readonly window: { readonly start: number; readonly end: number; readonly at: number } | null;
  /** Of the first issuer; empty when it publishes no limits. */
  readonly budget: BudgetLeft;
}

export function gaugesOf(certificate: ManagedCertificate, now: number): CertificateGauges {
  const { name, names } = certificate.wish;
  const { served, holdings, failures } = certificate;
  const states = holdings.map(({ state }) => state);
  const errors = states.flatMap(({ lastError }) => lastError ?? []).toSorted((a, b) => b.at - a.at);
  const window = served?.state.window ?? null;
  return {
    name,
    names,
    issuer: served === null ? null : (served.authority?.issuer.name ?? served.issuerId),
    notBefore: served?.certificate?.notBefore ?? null,
    notAfter: served?.certificate?.notAfter ?? null,
    lastSuccessAt: Math.max(...states.map(({ obtainedAt }) => obtainedAt ?? 0)) || null,
    failures,
    lastError: errors[0] ?? null,
    nextTurnAt: certificate.dueAt(now),
    waitingFor: states.find(({ waiting }) => waiting !== null)?.waiting?.limit ?? null,
    window: window === null ? null : { start: window.start, end: window.end, at: window.at },
    budget: holdings[0]?.authority?.ledger?.left(names) ?? [],
  };
}
