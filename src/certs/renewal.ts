// When a certificate is renewed and when a failed attempt is repeated. Pure: `now` is passed in, every answer has a reason.
// Never in days: lifetimes shrink (90, 64, 45 days, 160 hours) and the rules follow the certificate's own.
import { type Certificate, sameNames } from './certificate.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Certificates that live shorter are renewed at half their life (Let's Encrypt's integration guide), others at two thirds. */
const SHORT_LIFETIME_MS = 10 * DAY_MS;
/** Below this share of its life left, a certificate is renewed whatever else says to wait. */
const EMERGENCY_RATIO = 1 / 20;

export type RenewReason = 'missing' | 'names changed' | 'issuer changed' | 'expired' | 'emergency' | 'lifetime';

export type RenewalDecision =
  | { readonly action: 'renew'; readonly at: number; readonly reason: RenewReason }
  | { readonly action: 'wait'; readonly at: number; readonly reason: 'lifetime' };

/** What the decision depends on. A certificate whose key does not match never gets this far: reading it fails. */
export interface RenewalFacts extends Pick<Certificate, 'names' | 'notBefore' | 'notAfter'> {
  /** Whether the issuer in charge still stands behind it. */
  readonly recognized: boolean;
}

/** `at` is when the certificate is, or was, due. `facts` is null when there is no usable certificate. */
export function needsRenewal(facts: RenewalFacts | null, wanted: readonly string[], now: number): RenewalDecision {
  if (facts === null) return { action: 'renew', at: now, reason: 'missing' };
  if (!sameNames(facts.names, wanted)) return { action: 'renew', at: now, reason: 'names changed' };
  if (!facts.recognized) return { action: 'renew', at: now, reason: 'issuer changed' };
  const at = renewalDueAt(facts);
  if (now < at) return { action: 'wait', at, reason: 'lifetime' };
  if (now >= facts.notAfter) return { action: 'renew', at, reason: 'expired' };
  const leftRatio = (facts.notAfter - now) / (facts.notAfter - facts.notBefore);
  return { action: 'renew', at, reason: leftRatio < EMERGENCY_RATIO ? 'emergency' : 'lifetime' };
}

/** One third of the lifetime before the end; half of it for lifetimes under ten days. */
export function renewalDueAt(facts: Pick<Certificate, 'notBefore' | 'notAfter'>): number {
  const lifetimeMs = Math.max(0, facts.notAfter - facts.notBefore);
  return facts.notAfter - Math.ceil(lifetimeMs / (lifetimeMs < SHORT_LIFETIME_MS ? 2 : 3));
}

/** Let's Encrypt's advice: 1, 10, 100 minutes, then daily. */
const FAILURE_DELAYS_MS = [MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS, DAY_MS] as const;
/** Failures that cost the CA nothing (it was not reached, storage was full) are repeated at least this often. */
const UNREACHED_DELAY_MS = HOUR_MS;
/** So that many names that failed together do not come back together. Only ever later, never sooner. */
const JITTER_RATIO = 0.1;
/** A CA may ask for patience, but not for ever. */
const RETRY_AFTER_RANGE_MS = [MINUTE_MS, 7 * DAY_MS] as const;

export interface Failure {
  /** Failed attempts in a row, this one included: 1, 2, … */
  readonly failures: number;
  /** What the CA asked for, or null. It wins over the schedule. */
  readonly retryAfterMs: number | null;
  /** Whether the CA took the request and judged it, so that trying again may count against its limits. */
  readonly judged: boolean;
}

/** When to try again after a failure at `now`. `random` is in [0, 1). */
export function nextAttemptAt(failure: Failure, now: number, random: number): number {
  const step = Math.min(Math.max(failure.failures, 1), FAILURE_DELAYS_MS.length) - 1;
  let delayMs: number = FAILURE_DELAYS_MS[step]!;
  if (!failure.judged) delayMs = Math.min(delayMs, UNREACHED_DELAY_MS);
  if (failure.retryAfterMs !== null) {
    const [least, most] = RETRY_AFTER_RANGE_MS;
    delayMs = Math.min(Math.max(failure.retryAfterMs, least), most);
  }
  return Math.ceil(now + delayMs * (1 + JITTER_RATIO * random));
}

/** Whatever a CA hands out (a certificate that is due again at once, say), it is not asked more often than this. */
const MIN_INTERVAL_MS = 5 * MINUTE_MS;

/** What storage remembers of the last attempts. */
export interface AttemptMemory {
  readonly obtainedAt: number | null;
  readonly lastError: { readonly at: number } | null;
  readonly nextAttemptAt: number | null;
}

/**
 * The moment before which the issuer is not asked; 0 when it may be now. Memories that contradict the clock (an error in
 * the future, a wait beyond the longest) were written by a clock that was wrong and count for nothing.
 */
export function attemptAllowedAt(memory: AttemptMemory, now: number): number {
  if (memory.nextAttemptAt === null || memory.lastError === null)
    return memory.obtainedAt === null || memory.obtainedAt > now ? 0 : memory.obtainedAt + MIN_INTERVAL_MS;
  const longestMs = RETRY_AFTER_RANGE_MS[1] * (1 + JITTER_RATIO);
  const believable = memory.lastError.at <= now && memory.nextAttemptAt - memory.lastError.at <= longestMs;
  return believable ? memory.nextAttemptAt : 0;
}
