// The published limits of an authority, mirrored as token buckets, so that what would be refused is not asked for and
// what must wait knows until when. Pure; the state is plain JSON. Let's Encrypt: letsencrypt.org/docs/rate-limits.
import { createHash } from 'node:crypto';
import { registeredDomain } from './registered-domain.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** So many at once, and one back after each `refillMs`. */
export interface Limit {
  readonly capacity: number;
  readonly refillMs: number;
}

/** The limits as they are kept here: a little below the published ones. */
export interface BudgetLimits {
  /** New orders per account. */
  readonly orders: Limit;
  /** Certificates per registered domain, IPv4 address or IPv6 /64. */
  readonly domain: Limit;
  /** Certificates for exactly the same names. */
  readonly set: Limit;
  /** Failed authorizations per identifier. */
  readonly failures: Limit;
  /** Failed authorizations per identifier without a success between; beyond it the CA pauses the name. */
  readonly row: Limit;
}

type Kind = keyof BudgetLimits;

/** Tokens taken out of a bucket and not yet given back at `at`. */
interface Bucket {
  readonly used: number;
  readonly at: number;
}

/** Buckets that are not full, by `<kind>:<subject>`; full ones are forgotten, so it stays as small as what goes on. */
export type BudgetState = Readonly<Record<string, Bucket>>;

export const FULL_BUDGET: BudgetState = {};

export interface OrderCost {
  readonly names: readonly string[];
  /**
   * `replaces` is sent (RFC 9773 section 5) while the window is open (`isOpen` in renewal-window.ts): exempt from all
   * limits but the pause.
   */
  readonly ari: boolean;
  /** The same set was certified before: exempt from those of orders and domains. */
  readonly renewal: boolean;
}

/**
 * Let's Encrypt's limits, less a margin for a clock that is wrong by a day: a fifth of those per week; half of those
 * per hours, which such a jump may refill once. Of five failures an hour three: a jump there and back brings one attempt each.
 */
const PRODUCTION: BudgetLimits = {
  orders: { capacity: 300 / 2, refillMs: (3 * HOUR_MS) / 300 },
  domain: { capacity: (50 * 4) / 5, refillMs: (7 * DAY_MS) / 50 },
  set: { capacity: (5 * 4) / 5, refillMs: (7 * DAY_MS) / 5 },
  failures: { capacity: 3, refillMs: HOUR_MS / 5 },
  row: { capacity: 1152 - 52, refillMs: DAY_MS },
};

const STAGING: BudgetLimits = {
  orders: { capacity: 1500 / 2, refillMs: (3 * HOUR_MS) / 1500 },
  domain: { capacity: 30_000, refillMs: 1 },
  set: { capacity: 30_000 / 2, refillMs: (7 * DAY_MS) / 30_000 },
  failures: { capacity: 200 / 2, refillMs: HOUR_MS / 200 },
  row: { capacity: 3600 / 2, refillMs: (6 * HOUR_MS) / 3600 },
};

const LIMITS: ReadonlyMap<string, BudgetLimits> = new Map([
  ['acme-v02.api.letsencrypt.org', PRODUCTION],
  ['acme-staging-v02.api.letsencrypt.org', STAGING],
]);

/** null: a CA that publishes none like these (private ones, ZeroSSL, Google); its answers and the schedule have to do. */
export function limitsOf(directoryUrl: string): BudgetLimits | null {
  return (URL.canParse(directoryUrl) && LIMITS.get(new URL(directoryUrl).host)) || null;
}

/** When an order may be made, and which limit it waits for; `now` and null when it may be now. */
export function orderAllowedAt(
  state: BudgetState,
  cost: OrderCost,
  limits: BudgetLimits,
  now: number,
): { readonly at: number; readonly limit: string | null } {
  let at = now;
  let limit: string | null = null;
  for (const { kind, subject } of askedOf(cost)) {
    const allowedAt = availableAt(usedOf(state, kind, subject, limits, now), limits[kind], now);
    if (allowedAt > at) [at, limit] = [allowedAt, describe(kind, subject)];
  }
  return { at, limit };
}

/** Takes what the order, and the certificate that should come of it, cost. */
export function withOrder(state: BudgetState, cost: OrderCost, limits: BudgetLimits, now: number): BudgetState {
  return changed(state, spentBy(cost), 1, limits, now);
}

/** After a certificate was obtained: its names start anew in the count of failures in a row. */
export function withCertificate(state: BudgetState, cost: OrderCost, limits: BudgetLimits, now: number): BudgetState {
  const settled = settle(state, limits, now);
  const over = new Set(identifiersOf(cost.names).map((identifier) => keyOf('row', identifier)));
  return Object.fromEntries(Object.entries(settled).filter(([key]) => !over.has(key)));
}

/**
 * After an order failed: what only certificates cost is given back; `identifiers`: those that the CA could not validate,
 * none when it failed for another reason.
 */
export function withFailure(
  state: BudgetState,
  cost: OrderCost,
  identifiers: readonly string[],
  limits: BudgetLimits,
  now: number,
): BudgetState {
  const back = spentBy(cost).filter(({ kind }) => kind !== 'orders');
  const failed = identifiersOf(identifiers).flatMap((subject): Use[] => [
    { kind: 'failures', subject },
    { kind: 'row', subject },
  ]);
  return changed(changed(state, back, -1, limits, now), failed, 1, limits, now);
}

/** Failures that every one of the names may still have. */
export function failuresLeft(state: BudgetState, names: readonly string[], limits: BudgetLimits, now: number): number {
  const left = identifiersOf(names).map(
    (identifier) => limits.failures.capacity - usedOf(state, 'failures', identifier, limits, now),
  );
  return Math.max(0, Math.floor(Math.min(limits.failures.capacity, ...left)));
}

/** Every limit that an order for `names` meets: how much is left of how much, and when one more may be used. */
export function budgetLeft(
  state: BudgetState,
  names: readonly string[],
  limits: BudgetLimits,
  now: number,
): readonly { readonly limit: string; readonly left: number; readonly of: number; readonly nextAt: number }[] {
  return askedOf({ names, ari: false, renewal: false }).map(({ kind, subject }) => {
    const used = usedOf(state, kind, subject, limits, now);
    const of = limits[kind].capacity;
    const left = Math.max(0, Math.floor(of - used));
    return { limit: describe(kind, subject), left, of, nextAt: availableAt(used, limits[kind], now) };
  });
}

/**
 * The state as it stands at `now`, without full buckets. What a clock that ran ahead wrote counts from now on, whole:
 * store what this returns, so that it refills. Unreadable entries are dropped.
 */
export function settle(state: BudgetState, limits: BudgetLimits, now: number): BudgetState {
  const kept: Record<string, Bucket> = {};
  for (const key of Object.keys(state)) {
    const { kind, subject } = useOf(key);
    if (!Object.hasOwn(limits, kind)) continue;
    const used = usedOf(state, kind, subject, limits, now);
    if (used > 0) kept[key] = { used, at: now };
  }
  return kept;
}

/** What was stored, whatever it is now: entries that are no buckets are dropped. */
export function readBudget(value: unknown): BudgetState {
  if (typeof value !== 'object' || value === null) return FULL_BUDGET;
  const isBucket = (bucket: unknown): bucket is Bucket => {
    const { used, at } = (bucket ?? {}) as Partial<Bucket>;
    return Number.isFinite(used) && Number.isFinite(at);
  };
  return Object.fromEntries(Object.entries(value).filter(([, bucket]) => isBucket(bucket)));
}

interface Use {
  readonly kind: Kind;
  readonly subject: string;
}

/** The buckets that must have room. */
function askedOf({ names, ari, renewal }: OrderCost): Use[] {
  const pause = identifiersOf(names).map((subject): Use => ({ kind: 'row', subject }));
  if (ari) return pause;
  const failures = identifiersOf(names).map((subject): Use => ({ kind: 'failures', subject }));
  return [...spentBy({ names, ari, renewal }), ...failures, ...pause];
}

/** The buckets that an order takes from. One that is exempt takes from its set all the same: the CA may object to `replaces`. */
function spentBy({ names, ari, renewal }: OrderCost): Use[] {
  const set: Use = { kind: 'set', subject: setOf(names) };
  if (ari || renewal) return [set];
  const domains = [...new Set(names.map(registeredDomain))];
  return [{ kind: 'orders', subject: '' }, ...domains.map((subject): Use => ({ kind: 'domain', subject })), set];
}

function changed(state: BudgetState, uses: readonly Use[], by: 1 | -1, limits: BudgetLimits, now: number): BudgetState {
  const next: Record<string, Bucket> = { ...settle(state, limits, now) };
  for (const { kind, subject } of uses) {
    const key = keyOf(kind, subject);
    const used = Math.min((next[key]?.used ?? 0) + by, limits[kind].capacity);
    if (used > 0) next[key] = { used, at: now };
    else delete next[key];
  }
  return next;
}

function usedOf(state: BudgetState, kind: Kind, subject: string, limits: BudgetLimits, now: number): number {
  const key = keyOf(kind, subject);
  const bucket = Object.hasOwn(state, key) ? state[key] : undefined;
  if (bucket === undefined) return 0;
  const { capacity, refillMs } = limits[kind];
  return Math.min(bucket.used, capacity) - Math.max(0, now - bucket.at) / refillMs;
}

function availableAt(used: number, { capacity, refillMs }: Limit, now: number): number {
  return now + Math.max(0, Math.ceil((used + 1 - capacity) * refillMs));
}

/** What the CA validates: wildcards by the name below. */
function identifiersOf(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => (name.startsWith('*.') ? name.slice(2) : name)))];
}

function setOf(names: readonly string[]): string {
  const text = [...new Set(names)].sort().join(',');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function keyOf(kind: Kind, subject: string): string {
  return `${kind}:${subject}`;
}

function useOf(key: string): Use {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon) as Kind, subject: key.slice(colon + 1) };
}

function describe(kind: Kind, subject: string): string {
  switch (kind) {
    case 'orders':
      return 'new orders of the account';
    case 'domain':
      return `certificates for ${subject}`;
    case 'set':
      return 'certificates for the same names';
    case 'failures':
      return `failed validations of ${subject}`;
    case 'row':
      return `failed validations of ${subject} in a row`;
  }
}
