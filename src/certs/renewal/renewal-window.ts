// When the issuer would like a certificate to be renewed (ARI, RFC 9773): judged, one moment chosen, and when to ask
// again. Pure. Never believes a window that contradicts the certificate; renewal.ts has a rule of its own without one.
import { PerantaraError } from '../../core/errors.ts';
import type { Certificate } from '../certificate.ts';
import type { RenewalInfo } from '../issuer.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** RFC 9773 section 4.3.2: what an issuer asks for is kept within these. */
const RETRY_AFTER_RANGE_MS = [MINUTE_MS, DAY_MS] as const;
/** Without a Retry-After (RFC 9773 section 4.3.3): four times a day, so that with jitter it is never less than twice. */
const CHECK_INTERVAL_MS = 6 * HOUR_MS;
/** After the first failed check; doubled after each further one, up to the interval above. */
const FIRST_RETRY_MS = 5 * MINUTE_MS;
/** Certificates that were made together do not ask together. Only ever later, never sooner. */
const JITTER_RATIO = 0.1;
/** A window may reach out of the certificate's life by so much: clocks differ. */
const TOLERANCE_MS = DAY_MS;

/** What is remembered of the issuer's wish; plain JSON, stored as it is. All in milliseconds since the epoch. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
  /** The moment chosen inside. */
  readonly at: number;
  /** When the issuer last told it, and when to ask again. */
  readonly checkedAt: number;
  readonly nextCheckAt: number;
  /** A page for people, or null. */
  readonly explanationUrl: string | null;
  /** The ARI CertID it belongs to; it says nothing about another certificate. */
  readonly certificateId: string;
}

/** What is remembered of checks that failed, until one succeeds; plain JSON, stored as it is. */
export interface FailedCheck {
  readonly checkedAt: number;
  readonly nextCheckAt: number;
  /** In a row. */
  readonly failures: number;
}

/**
 * The window to keep from now on. The moment is chosen once, uniformly at random inside the window, and stays while start
 * and end do. Throws a PerantaraError (`renewal_info_invalid`) when the answer cannot be meant; the caller then keeps
 * what it had and remembers `postponeCheck`.
 */
export function adoptRenewalInfo(
  previous: RenewalWindow | null,
  info: RenewalInfo,
  certificate: Pick<Certificate, 'notBefore' | 'notAfter'> & { readonly id: string },
  now: number,
  random: () => number,
): RenewalWindow {
  const { start, end, explanationUrl, retryAfterMs } = info;
  const flaw = flawOf(start, end, certificate);
  if (flaw !== null)
    throw new PerantaraError(`cannot use the renewal window of the CA, ${show(start)} to ${show(end)}: ${flaw}`, {
      code: 'renewal_info_invalid',
      source: 'issuer',
      retryable: true,
    });
  const same = previous?.certificateId === certificate.id && previous.start === start && previous.end === end;
  const at = same && isSane(previous, certificate) ? previous.at : start + Math.floor(random() * (end - start));
  const nextCheckAt = now + spread(waitMs(retryAfterMs) ?? CHECK_INTERVAL_MS, random);
  return { start, end, at, checkedAt: now, nextCheckAt, explanationUrl, certificateId: certificate.id };
}

/** After a check that failed or whose answer was refused: later and later, up to the usual interval. */
export function postponeCheck(
  previous: FailedCheck | null,
  retryAfterMs: number | null,
  now: number,
  random: () => number,
): FailedCheck {
  const failures = (previous?.failures ?? 0) + 1;
  const delayMs = Math.min(CHECK_INTERVAL_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
  return { checkedAt: now, nextCheckAt: now + spread(waitMs(retryAfterMs) ?? delayMs, random), failures };
}

/**
 * When to ask the issuer (again); 0 when it may be now: never asked, or what is remembered was written by a wrong clock.
 * Takes the failed check if there is one, else the window.
 */
export function checkDueAt(last: Pick<RenewalWindow, 'checkedAt' | 'nextCheckAt'> | null, now: number): number {
  if (last === null) return 0;
  const longestMs = RETRY_AFTER_RANGE_MS[1] * (1 + JITTER_RATIO);
  return last.checkedAt <= now && last.nextCheckAt - last.checkedAt <= longestMs ? last.nextCheckAt : 0;
}

/** Whether `now` lies inside: Let's Encrypt lifts its limits for a replacement only then. */
export function isOpen(window: RenewalWindow | null, now: number): boolean {
  return window !== null && window.start <= now && now < window.end;
}

/** Whether a stored window can be meant for the certificate. */
export function isSane(window: RenewalWindow, certificate: Pick<Certificate, 'notBefore' | 'notAfter'>): boolean {
  const { start, end, at } = window;
  return flawOf(start, end, certificate) === null && start <= at && at <= end;
}

/** What is wrong with a window, to complete a sentence, or null. */
function flawOf(
  start: number,
  end: number,
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
): string | null {
  if (!Number.isFinite(start) || !Number.isFinite(end)) return 'one of them is no date';
  if (end <= start) return 'it ends before it starts';
  if (start < notBefore - TOLERANCE_MS) return `it starts before the certificate begins (${show(notBefore)})`;
  if (start >= notAfter || end > notAfter + TOLERANCE_MS)
    return `it reaches beyond the end of the certificate (${show(notAfter)})`;
  return null;
}

/** A Retry-After within reason, or null when there is none. */
function waitMs(retryAfterMs: number | null): number | null {
  if (retryAfterMs === null || Number.isNaN(retryAfterMs)) return null;
  const [least, most] = RETRY_AFTER_RANGE_MS;
  return Math.min(Math.max(retryAfterMs, least), most);
}

function spread(delayMs: number, random: () => number): number {
  return Math.ceil(delayMs * (1 + JITTER_RATIO * random()));
}

/** A date as people read it; what is none as it is. */
function show(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}
