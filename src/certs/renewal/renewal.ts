// When a certificate is renewed, and why. Pure: `now` is passed in, every answer has a reason.
// Never in days: lifetimes shrink (90, 64, 45 days, 160 hours) and the rules follow the certificate's own.
import type { KeyType } from '../../config/config.ts';
import { type Certificate, sameNames } from '../certificate.ts';
import { isSane, type RenewalWindow } from './renewal-window.ts';

/** Certificates that live shorter are renewed at half their life (Let's Encrypt's integration guide), others at two thirds. */
const SHORT_LIFETIME_MS = 10 * 86_400_000;
/** Below this share of its life left, a certificate is renewed whatever else says to wait. */
const EMERGENCY_RATIO = 1 / 20;

export type RenewReason =
  | 'missing'
  | 'key compromised'
  | 'names changed'
  | 'key type changed'
  | 'profile changed'
  | 'issuer changed'
  | 'requested'
  | 'revoked'
  | 'window'
  | 'lifetime'
  | 'emergency'
  | 'expired';

/** `at` is when the certificate is, or was, due. */
export type RenewalDecision =
  | { readonly action: 'renew'; readonly at: number; readonly reason: RenewReason }
  | { readonly action: 'wait'; readonly at: number; readonly reason: 'window' | 'lifetime' }
  | { readonly action: 'nothing'; readonly reason: 'orphaned' };

/** What the decision depends on. A certificate whose key does not match never gets this far: reading it fails. */
export interface RenewalFacts extends Pick<Certificate, 'names' | 'notBefore' | 'notAfter'> {
  readonly issuerId: string;
  /** Of the leaf; null: some other key. */
  readonly keyType: KeyType | null;
  /**
   * The profile that was wished for when it was ordered, null for none. Not the one that was sent: an issuer that does
   * not offer it is asked without, and must not be asked again for that.
   */
  readonly profile: string | null;
  /** Whether its issuer still stands behind it. */
  readonly recognized: boolean;
  /** Whether its key was found revoked for keyCompromise. */
  readonly compromised: boolean;
  /** What the issuer said about this very certificate (RFC 9773), or null. */
  readonly window: RenewalWindow | null;
  /** Whether an operator asked for a new one. */
  readonly requested: boolean;
}

/** What the configuration says. */
export interface RenewalWish {
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** Issuer id → profile to order, null for none; every issuer that is allowed is a key. */
  readonly profiles: ReadonlyMap<string, string | null>;
}

/** `facts` is null when there is no usable certificate, `wish` when the configuration no longer has the name. */
export function needsRenewal(
  facts: RenewalFacts | null,
  wish: RenewalWish,
  now: number,
): Exclude<RenewalDecision, { action: 'nothing' }>;
export function needsRenewal(facts: RenewalFacts | null, wish: RenewalWish | null, now: number): RenewalDecision;
export function needsRenewal(facts: RenewalFacts | null, wish: RenewalWish | null, now: number): RenewalDecision {
  if (wish === null) return { action: 'nothing', reason: 'orphaned' };
  if (facts === null) return { action: 'renew', at: now, reason: 'missing' };
  const unfit = unfitness(facts, wish);
  if (unfit !== null) return { action: 'renew', at: now, reason: unfit };
  return byTime(facts, now);
}

/** One third of the lifetime before the end; half of it for lifetimes under ten days. */
export function renewalDueAt(facts: Pick<Certificate, 'notBefore' | 'notAfter'>): number {
  const lifetimeMs = lifetimeOf(facts);
  return facts.notAfter - Math.ceil(lifetimeMs / (lifetimeMs < SHORT_LIFETIME_MS ? 2 : 3));
}

/** Share of the lifetime left, at most 1; 0 and less when it is over. */
export function leftRatio(facts: Pick<Certificate, 'notBefore' | 'notAfter'>, now: number): number {
  return Math.min(1, (facts.notAfter - now) / Math.max(1, lifetimeOf(facts)));
}

/** What makes another certificate necessary whatever the time. */
function unfitness(facts: RenewalFacts, wish: RenewalWish): RenewReason | null {
  if (facts.compromised) return 'key compromised';
  if (!sameNames(facts.names, wish.names)) return 'names changed';
  if (facts.keyType !== wish.keyType) return 'key type changed';
  const profile = wish.profiles.get(facts.issuerId);
  if (profile === undefined || !facts.recognized) return 'issuer changed';
  if (facts.profile !== profile) return 'profile changed';
  return facts.requested ? 'requested' : null;
}

/** The issuer's window comes first, the lifetime is the rule without one, and neither can let a certificate expire. */
function byTime(facts: RenewalFacts, now: number): RenewalDecision {
  const window = facts.window !== null && isSane(facts.window, facts) ? facts.window : null;
  const plannedAt = window === null ? renewalDueAt(facts) : window.at;
  const latestAt = facts.notAfter - Math.ceil(lifetimeOf(facts) * EMERGENCY_RATIO);
  const at = Math.min(plannedAt, latestAt);
  if (now < at) return { action: 'wait', at, reason: window === null || latestAt < window.at ? 'lifetime' : 'window' };
  if (now >= facts.notAfter) return { action: 'renew', at, reason: 'expired' };
  if (now >= latestAt) return { action: 'renew', at, reason: 'emergency' };
  if (window === null) return { action: 'renew', at, reason: 'lifetime' };
  return { action: 'renew', at, reason: isWithdrawal(window, facts) ? 'revoked' : 'window' };
}

/**
 * Whether the issuer took the certificate back: the window was over when it was told, and either a reason is given or it
 * lies before the time for an ordinary renewal (Boulder moves it to an hour ago). Otherwise a window was merely missed.
 */
function isWithdrawal(window: RenewalWindow, facts: RenewalFacts): boolean {
  return window.end <= window.checkedAt && (window.explanationUrl !== null || window.end < renewalDueAt(facts));
}

function lifetimeOf(facts: Pick<Certificate, 'notBefore' | 'notAfter'>): number {
  return Math.max(0, facts.notAfter - facts.notBefore);
}
