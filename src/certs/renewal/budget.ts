// The published limits of an authority, mirrored as token buckets, so that what would be refused is not asked for and
// what must wait knows until when. Pure; the state is plain JSON. Let's Encrypt: letsencrypt.org/docs/rate-limits.
import { createHash } from 'node:crypto';
import { registeredDomain } from './registered-domain.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A token bucket: so many at once, and one back after each `refillMs`. */
export interface Limit {
  /** As the CA has it. */
  readonly published: number;
  /** As it is kept here: less. */
  readonly capacity: number;
  readonly refillMs: number;
}

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

/**
 * When each bucket will be full again, by `<kind>:<subject>`. Full ones are forgotten, so it stays as small as what goes
 * on. A moment, unlike a count, stays true when the clock jumps and returns.
 */
export type BudgetState = Readonly<Record<string, number>>;

export const FULL_BUDGET: BudgetState = {};

export interface OrderCost {
  readonly names: readonly string[];
  /** `replaces` is sent (RFC 9773 section 5) while the window is open (`isOpen` in renewal-window.ts). */
  readonly ari: boolean;
  /** The same set was certified before. */
  readonly renewal: boolean;
}

/**
 * Of the published number only a `share` is used: a clock that runs a day ahead, then a day behind, makes a week seem two
 * days longer than it is, and a few hours seem over.
 */
function limit(published: number, periodMs: number, share: number): Limit {
  return { published, capacity: Math.floor(published * share), refillMs: periodMs / published };
}

const PRODUCTION: BudgetLimits = {
  orders: limit(300, 3 * HOUR_MS, 0.5),
  domain: limit(50, 7 * DAY_MS, 0.7),
  set: limit(5, 7 * DAY_MS, 0.7),
  // The schedule of attempts spends these three within an hour; a clock that jumps there and back brings one more each.
  failures: limit(5, HOUR_MS, 0.6),
  row: limit(1152, 1152 * DAY_MS, 0.95),
};

const STAGING: BudgetLimits = {
  orders: limit(1500, 3 * HOUR_MS, 0.5),
  domain: limit(30_000, 1000, 0.7),
  set: limit(30_000, 7 * DAY_MS, 0.7),
  failures: limit(200, HOUR_MS, 0.6),
  row: limit(3600, 6 * HOUR_MS, 0.95),
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
 * After an order failed: what only certificates cost is given back; `identifiers`: those that the CA could not validate, as
 * often as it failed, none when it failed for another reason.
 */
export function withFailure(
  state: BudgetState,
  cost: OrderCost,
  identifiers: readonly string[],
  limits: BudgetLimits,
  now: number,
): BudgetState {
  const back = spentBy(cost).filter(({ kind }) => kind !== 'orders');
  const failed = identifiers.map(validatedOf).flatMap((subject): Use[] => [
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

/** The state without full buckets, and with none emptier than it can be: that was written by a clock that ran ahead. */
export function settle(state: BudgetState, limits: BudgetLimits, now: number): BudgetState {
  const kept: Record<string, number> = {};
  for (const [key, storedAt] of Object.entries(state)) {
    const kind = key.slice(0, key.indexOf(':'));
    if (!Object.hasOwn(limits, kind)) continue;
    const fullAt = Math.min(storedAt, now + emptyMs(limits[kind as Kind]));
    if (fullAt > now) kept[key] = fullAt;
  }
  return kept;
}

/** What was stored, whatever it is now: entries that are no moments are dropped. */
export function readBudget(value: unknown): BudgetState {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return FULL_BUDGET;
  return Object.fromEntries(Object.entries(value).filter(([, fullAt]) => Number.isFinite(fullAt)));
}

interface Use {
  readonly kind: Kind;
  readonly subject: string;
}

/** The buckets that must have room. */
function askedOf(cost: OrderCost): Use[] {
  const validations = identifiersOf(cost.names).flatMap((subject): Use[] => [
    { kind: 'failures', subject },
    { kind: 'row', subject },
  ]);
  return [...spentBy(cost), ...validations];
}

/**
 * The buckets that an order takes from. Renewals are exempt from those of orders and domains. Let's Encrypt exempts those
 * by ARI from the others too; they are held all the same: the CA may see it otherwise (its window moved, the clock here
 * is wrong), and five certificates a week for the same names are a loop, whoever wants them.
 */
function spentBy({ names, ari, renewal }: OrderCost): Use[] {
  const set: Use = { kind: 'set', subject: setOf(names) };
  if (ari || renewal) return [set];
  const domains = [...new Set(names.map(registeredDomain))];
  return [{ kind: 'orders', subject: '' }, ...domains.map((subject): Use => ({ kind: 'domain', subject })), set];
}

function changed(state: BudgetState, uses: readonly Use[], by: 1 | -1, limits: BudgetLimits, now: number): BudgetState {
  const next: Record<string, number> = { ...settle(state, limits, now) };
  for (const { kind, subject } of uses) {
    const key = keyOf(kind, subject);
    const fullAt = Math.max(next[key] ?? 0, now) + by * limits[kind].refillMs;
    if (fullAt > now) next[key] = Math.min(fullAt, now + emptyMs(limits[kind]));
    else delete next[key];
  }
  return next;
}

/** Tokens that the bucket lacks. */
function usedOf(state: BudgetState, kind: Kind, subject: string, limits: BudgetLimits, now: number): number {
  const key = keyOf(kind, subject);
  const fullAt = Object.hasOwn(state, key) ? state[key]! : now;
  return Math.min(Math.max(0, fullAt - now), emptyMs(limits[kind])) / limits[kind].refillMs;
}

/** How long an empty bucket of the CA takes to fill. */
function emptyMs({ published, refillMs }: Limit): number {
  return published * refillMs;
}

/** When there is a token, given how many the bucket lacks. The rounding is for the division in `usedOf`. */
function availableAt(used: number, { capacity, refillMs }: Limit, now: number): number {
  return now + Math.max(0, Math.ceil((used + 1 - capacity) * refillMs - 1e-3));
}

function identifiersOf(names: readonly string[]): string[] {
  return [...new Set(names.map(validatedOf))];
}

/** What the CA validates: a wildcard by the name below. */
function validatedOf(name: string): string {
  return name.startsWith('*.') ? name.slice(2) : name;
}

function setOf(names: readonly string[]): string {
  const text = [...new Set(names)].sort().join(',');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function keyOf(kind: Kind, subject: string): string {
  return `${kind}:${subject}`;
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
