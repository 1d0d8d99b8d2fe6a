// What there is to say of one certificate, for `perantara certs`: judged from what lies in storage. Pure.
import type { KeyType, SiteConfig } from '../config/config.ts';
import { type Certificate, keyTypeOf, parseCertificate } from './certificate.ts';
import type { PlannedCertificate } from './certificate-plan.ts';
import type { Holding } from './holding.ts';
import { attemptAllowedAt, lastObtainedAt } from './renewal/attempts.ts';
import { leftRatio, needsRenewal, type RenewalDecision, type RenewReason } from './renewal/renewal.ts';
import type { RenewalWindow } from './renewal/renewal-window.ts';
import { rankHoldings } from './serving.ts';

/** Times in milliseconds since the epoch. Field names are what `perantara certs --json` promises: they stay. */
export interface CertificateStatus {
  /** The first host pattern on it. */
  readonly name: string;
  /** All of them. */
  readonly names: readonly string[];
  readonly source: 'acme' | 'local' | 'supplied';
  /** Not in the file: obtained at a handshake, and renewed when somebody uses it. */
  readonly onDemand: boolean;
  /** `failing`: the last attempt failed, and what is there is valid, if anything is; see `notAfter`. */
  readonly state: 'valid' | 'missing' | 'expired' | 'failing';
  /** As the certificate names it, or null without a certificate. */
  readonly issuer: string | null;
  /** The authority's folder name in storage: that of the certificate, else the one asked first; null when supplied. */
  readonly authority: string | null;
  /** What proved the names, or null: nothing had to be, or nobody remembers. */
  readonly challenge: string | null;
  /** As ordered, or null: the authority chose. */
  readonly profile: string | null;
  /** Of the certificate, or the one wanted; null: some other key. */
  readonly keyType: KeyType | null;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  /** Of its lifetime, 0 to 1, or null without a certificate. */
  readonly leftRatio: number | null;
  /** What happens next and why; null for supplied certificates. */
  readonly next: {
    readonly step: 'obtain' | 'renew';
    readonly at: number;
    /** See RenewReason; for a step that is due and waits, what it waits for. */
    readonly reason: string;
    readonly waitsFor: 'authority' | 'budget' | 'retry' | null;
  } | null;
  /** As before issue 4: when it is renewed next; null for supplied certificates and when none is there yet. */
  readonly nextRenewalAt: number | null;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  /** When the issuer may be asked again after a failure, or null. */
  readonly nextAttemptAt: number | null;
  readonly failures: number;
  readonly window: Pick<RenewalWindow, 'start' | 'end' | 'at' | 'explanationUrl'> | null;
  /** Whether an operator asked for a new one that is not there yet. */
  readonly requestedAt: number | null;
  /** What is left of the authority's limits that the names meet; empty when it has none. */
  readonly budget: readonly {
    readonly limit: string;
    readonly left: number;
    readonly of: number;
    readonly nextAt: number;
  }[];
}

export interface Surroundings {
  /** Whether it was obtained at a handshake. */
  readonly onDemand: boolean;
  /** What is left of an issuer's limits for the names. */
  readonly budgetOf: (issuerId: string) => CertificateStatus['budget'];
  readonly now: number;
}

/** `holdings`: of every issuer of the plan, read from storage. */
export function statusOf(
  plan: PlannedCertificate,
  holdings: readonly Holding[],
  { onDemand, budgetOf, now }: Surroundings,
): CertificateStatus {
  const served = rankHoldings(holdings, now)[0] ?? null;
  const requestedAt = holdings.find(({ state }) => state.requestedAt !== null)?.state.requestedAt ?? null;
  const decision = decide(plan, holdings, served, requestedAt !== null, now);
  const wait = waitOf(holdings, decision.reason, now);
  const failing = holdings.find(({ state }) => state.failures > 0)?.state ?? null;
  const { issuerId, state } = served ?? holdings[0]!;
  const certificate = served?.certificate ?? null;
  const at = Math.max(decision.at, wait.at);
  const waitsFor = wait.at > Math.max(now, decision.at) ? wait.by : null;
  return {
    name: plan.names[0]!,
    names: plan.names,
    source: plan.issuers[0]!.directory === null ? 'local' : 'acme',
    onDemand,
    state: stateOf(certificate, failing !== null, now),
    ...factsOf(certificate, now),
    authority: issuerId,
    challenge: state.issued?.challenge ?? null,
    profile: state.issued?.profile ?? null,
    keyType: served === null ? plan.keyType : served.keyType,
    next: { step: certificate === null ? 'obtain' : 'renew', at, reason: decision.reason, waitsFor },
    nextRenewalAt: certificate === null ? null : at,
    lastError: failing?.lastError == null ? null : { at: failing.lastError.at, message: failing.lastError.message },
    nextAttemptAt: failing === null ? null : Math.max(now, wait.at),
    failures: Math.max(...holdings.map((holding) => holding.state.failures)),
    window: windowOf(state.window),
    requestedAt,
    budget: budgetOf(issuerId),
  };
}

type TimedDecision = Exclude<RenewalDecision, { action: 'nothing' }>;

function decide(
  { names, keyType }: PlannedCertificate,
  holdings: readonly Holding[],
  served: Holding | null,
  requested: boolean,
  now: number,
): TimedDecision {
  const profiles = new Map(holdings.map(({ issuerId, profile }) => [issuerId, profile?.name ?? null]));
  const facts = served?.facts() ?? null;
  return needsRenewal(facts === null ? null : { ...facts, requested }, { names, keyType, profiles }, now);
}

interface Wait {
  readonly at: number;
  readonly by: 'budget' | 'authority' | 'retry';
}

/** The issuer that may be asked first tells what is waited for. */
function waitOf(holdings: readonly Holding[], reason: RenewReason | 'lifetime', now: number): Wait {
  const obtainedAt = lastObtainedAt(holdings, now);
  const waits = holdings.map((holding): Wait => {
    const retryAt = attemptAllowedAt({ ...holding.state, obtainedAt }, now, reason);
    const budgetAt = holding.waitsUntil(now);
    const by = budgetAt > retryAt ? 'budget' : holding.state.lastError?.patience === true ? 'authority' : 'retry';
    return { at: Math.max(retryAt, budgetAt), by };
  });
  return waits.reduce((a, b) => (b.at < a.at ? b : a));
}

function stateOf(certificate: Certificate | null, failing: boolean, now: number): CertificateStatus['state'] {
  if (certificate !== null && certificate.notAfter <= now) return 'expired';
  if (failing) return 'failing';
  return certificate === null ? 'missing' : 'valid';
}

type CertificateFacts = Pick<CertificateStatus, 'issuer' | 'notBefore' | 'notAfter' | 'leftRatio'>;

function factsOf(certificate: Certificate | null, now: number): CertificateFacts {
  if (certificate === null) return { issuer: null, notBefore: null, notAfter: null, leftRatio: null };
  const { issuer, notBefore, notAfter } = certificate;
  return { issuer, notBefore, notAfter, leftRatio: Math.max(0, leftRatio(certificate, now)) };
}

function windowOf(window: RenewalWindow | null): CertificateStatus['window'] {
  if (window === null) return null;
  const { start, end, at, explanationUrl } = window;
  return { start, end, at, explanationUrl };
}

/** Of a site whose files are the operator's. */
export function suppliedStatus({ host, tls }: SiteConfig, now: number): CertificateStatus {
  if (tls.kind !== 'supplied') throw new TypeError(`"${host}" has no supplied certificate`);
  const certificate = parseCertificate(tls.certPem, tls.keyPem);
  return {
    name: host,
    names: [host],
    source: 'supplied',
    onDemand: false,
    state: stateOf(certificate, false, now),
    ...factsOf(certificate, now),
    authority: null,
    challenge: null,
    profile: null,
    keyType: keyTypeOf(certificate),
    next: null,
    nextRenewalAt: null,
    lastError: null,
    nextAttemptAt: null,
    failures: 0,
    window: null,
    requestedAt: null,
    budget: [],
  };
}
