// When a failed attempt is repeated, and how soon after a success an issuer may be asked again. Pure. Let's Encrypt's
// advice, with three changes: what the CA never saw is tried sooner, a certificate near its end is tried hourly, and
// nothing that a CA says can make a certificate expire while it waits.
import type { Certificate } from '../certificate.ts';
import { leftRatio, type RenewReason } from './renewal.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** 1, 10, 100 minutes, then daily (Let's Encrypt's integration guide). */
const FAILURE_DELAYS_MS = [MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS, DAY_MS] as const;
/** Failures that cost the CA nothing (it was not reached, storage was full) are repeated at least this often. */
const UNREACHED_DELAY_MS = HOUR_MS;
/** With less than this share of its life left, a certificate is tried for at least this often, … */
const HURRY_RATIO = 1 / 4;
const HURRY_DELAY_MS = HOUR_MS;
/** … but not when the fault has lasted longer than this: 24 failures a day would lead to a pause of the name at Let's Encrypt. */
const HURRY_LIMIT_MS = 7 * DAY_MS;
/** So that many names that failed together do not come back together. Only ever later, never sooner. */
const JITTER_RATIO = 0.1;
/** A CA may ask for patience, but not for ever, */
const RETRY_AFTER_RANGE_MS = [MINUTE_MS, 7 * DAY_MS] as const;
/** and when it asks for more than this, for no more than this share of what a certificate has left. */
const PATIENT_MS = HOUR_MS;
const PATIENCE_RATIO = 1 / 2;

/** Whatever a CA hands out (a certificate that is due again at once, say), it is not asked more often than this. */
const MIN_INTERVAL_MS = 5 * MINUTE_MS;
/** The same for renewals that the CA itself brought about: they are exempt from its limits, so nothing else ends a loop. */
const MIN_WINDOW_INTERVAL_MS = HOUR_MS;

export interface Failure {
  /** Failed attempts in a row, this one included: 1, 2, … */
  readonly failures: number;
  /** When the first of them failed. */
  readonly failingSince: number;
  /** What the CA asked for, or null. It wins over the schedule. */
  readonly retryAfterMs: number | null;
  /** Whether the CA took the request and judged it, so that trying again may count against its limits. */
  readonly judged: boolean;
  /** The one in use, or null. */
  readonly certificate: Pick<Certificate, 'notBefore' | 'notAfter'> | null;
  /** Whether the CA's limit on failures leaves room (`failuresLeft` in budget.ts). */
  readonly mayHurry: boolean;
}

/** When to try again after a failure at `now`. `random` is in [0, 1). */
export function nextAttemptAt(failure: Failure, now: number, random: number): number {
  const delayMs = (failure.retryAfterMs ?? Number.NaN) >= 0 ? askedForMs(failure, now) : scheduledMs(failure, now);
  return Math.ceil(now + delayMs * (1 + JITTER_RATIO * random));
}

function scheduledMs({ failures, failingSince, judged, certificate, mayHurry }: Failure, now: number): number {
  const step = Math.min(Math.max(failures, 1), FAILURE_DELAYS_MS.length) - 1;
  const delayMs = FAILURE_DELAYS_MS[step]!;
  if (!judged) return Math.min(delayMs, UNREACHED_DELAY_MS);
  const urgent = certificate !== null && leftRatio(certificate, now) < HURRY_RATIO;
  const hurry = urgent && mayHurry && now - failingSince <= HURRY_LIMIT_MS;
  return hurry ? Math.min(delayMs, HURRY_DELAY_MS) : delayMs;
}

function askedForMs({ retryAfterMs, certificate }: Failure, now: number): number {
  const [least, most] = RETRY_AFTER_RANGE_MS;
  const leftMs = certificate === null ? Number.POSITIVE_INFINITY : certificate.notAfter - now;
  const patienceMs = leftMs > 0 ? Math.max(PATIENT_MS, leftMs * PATIENCE_RATIO) : most;
  return Math.min(Math.max(retryAfterMs ?? 0, least), most, patienceMs);
}

/** What storage remembers of the last attempts. */
export interface AttemptMemory {
  readonly obtainedAt: number | null;
  readonly lastError: { readonly at: number } | null;
  readonly nextAttemptAt: number | null;
}

/**
 * The moment before which the issuer is not asked; 0 when it may be now. `reason`: what it would be asked for. Memories
 * that contradict the clock (an error in the future, a wait beyond the longest) were written by a clock that was wrong
 * and count for nothing.
 */
export function attemptAllowedAt(memory: AttemptMemory, now: number, reason: RenewReason | null = null): number {
  return Math.max(afterSuccess(memory, now, reason), afterFailure(memory, now));
}

function afterSuccess({ obtainedAt }: AttemptMemory, now: number, reason: RenewReason | null): number {
  if (obtainedAt === null || obtainedAt > now) return 0;
  const byWindow = reason === 'window' || reason === 'revoked';
  return obtainedAt + (byWindow ? MIN_WINDOW_INTERVAL_MS : MIN_INTERVAL_MS);
}

function afterFailure({ lastError, nextAttemptAt }: AttemptMemory, now: number): number {
  if (nextAttemptAt === null || lastError === null) return 0;
  const longestMs = RETRY_AFTER_RANGE_MS[1] * (1 + JITTER_RATIO);
  return lastError.at <= now && nextAttemptAt - lastError.at <= longestMs ? nextAttemptAt : 0;
}

/** The last success at any issuer, as far as it is believable: one in the future was remembered by a wrong clock. */
export function lastObtainedAt(
  holdings: readonly { readonly state: Pick<AttemptMemory, 'obtainedAt'> }[],
  now: number,
): number | null {
  const moments = holdings.map(({ state }) => state.obtainedAt ?? 0);
  return Math.max(0, ...moments.filter((at) => at <= now)) || null;
}
