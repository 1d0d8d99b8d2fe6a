// Years of certificates in virtual time: a keeper, a CA with moods, clocks that jump, restarts, revocations, operators.
// Everything follows from the seed.
import { createHash } from 'node:crypto';
import type { BudgetLimits } from '../../src/certs/renewal/budget.ts';
import type { RenewReason } from '../../src/certs/renewal/renewal.ts';
import { type Mood, VirtualCa } from './virtual-ca.ts';
import { type Obtained, VirtualKeeper, type Wanted } from './virtual-keeper.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface YearsOptions {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly wanted: readonly Wanted[];
  readonly limits: BudgetLimits | null;
  /** Of a new certificate. */
  readonly lifetimeOf: (profile: string | null, at: number) => number;
  /** Longest trouble, less than what renewal leaves, and shortest calm, more than that. Null: no trouble. */
  readonly troubleMs: readonly [longest: number, calm: number] | null;
  /** How long the CA's windows stay as they are, at most; null: for ever as `windows`. */
  readonly windowMoodMs: number | null;
  readonly windows?: Mood['windows'];
  /** How long the clock may be wrong by a day, at most; null: never. */
  readonly wrongClockMs: number | null;
}

export interface YearsReport {
  readonly keeper: VirtualKeeper;
  readonly ca: VirtualCa;
  readonly obtained: readonly Obtained[];
  readonly reasons: ReadonlyMap<RenewReason, number>;
  readonly expired: readonly string[];
  /** Between two certificates of the same names with no jump of the clock between, and if the CA's window asked for the second. */
  readonly shortestMs: number;
  readonly shortestByWindowMs: number;
  readonly turns: number;
  /** Characters of the budget at its largest restart. */
  readonly largestBudget: number;
  /** Of everything obtained, in order. */
  readonly digest: string;
}

export function simulateYears(options: YearsOptions): YearsReport {
  const { from, to, wanted, limits, lifetimeOf } = options;
  const random = seeded(options.seed);
  const ca = new VirtualCa(random, lifetimeOf, limits !== null);
  if (options.windows !== undefined) ca.mood = { service: 'good', windows: options.windows };
  const keeper = new VirtualKeeper(wanted, ca, limits, random);
  const queue = new Queue();
  const obtained: Obtained[] = [];
  const expired: string[] = [];
  const lastAt = new Map<number, number>();
  let [shortestMs, shortestByWindowMs, turns, largestBudget] = [
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    0,
    0,
  ];

  keeper.onObtained = (each) => {
    const { index, at, reason, before } = each;
    obtained.push(each);
    const intervalMs = at - (lastAt.get(index) ?? Number.NEGATIVE_INFINITY);
    lastAt.set(index, at);
    shortestMs = Math.min(shortestMs, intervalMs);
    if (reason === 'window' || reason === 'revoked') shortestByWindowMs = Math.min(shortestByWindowMs, intervalMs);
    if (before !== null && before.notAfter <= at)
      expired.push(`${before.names[0]} ${iso(before.notBefore)} to ${iso(before.notAfter)}, next ${iso(at)}`);
  };

  const versions = wanted.map(() => 0);
  /** The manager looks at the clock every hour. */
  const lookAtAll = (at: number): void => {
    keeper.settleBudget(at);
    for (const index of wanted.keys()) queue.push(at + random() * HOUR_MS, index, ++versions[index]!);
  };
  lookAtAll(from);
  const events = planned(options, random, ca, keeper, {
    lookAtAll,
    onRestart: (length) => {
      largestBudget = Math.max(largestBudget, length);
    },
    // No clock, no interval.
    onJump: () => lastAt.clear(),
  });

  let next = events.shift();
  for (let turn = queue.pop(); turn !== null && turn.at < to; turn = queue.pop()) {
    for (; next !== undefined && next.at <= turn.at; next = events.shift()) next.happen(next.at);
    if (turn.version !== versions[turn.index]) continue;
    turns++;
    queue.push(keeper.tend(turn.index, turn.at), turn.index, turn.version);
  }

  const reasons = new Map<RenewReason, number>();
  for (const { reason } of obtained) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [index, { configured, names }] of wanted.entries()) {
    const end = keeper.certificate(index)?.notAfter ?? 0;
    if (configured && end <= to) expired.push(`${names[0]} at the end: ${iso(end)}`);
  }
  const hash = createHash('sha256');
  for (const { index, at, reason } of obtained) hash.update(`${index} ${at} ${reason}\n`);
  const digest = hash.digest('hex');
  return { keeper, ca, obtained, reasons, expired, shortestMs, shortestByWindowMs, turns, largestBudget, digest };
}

interface Event {
  readonly at: number;
  readonly happen: (at: number) => void;
}

interface Hooks {
  readonly lookAtAll: (at: number) => void;
  readonly onRestart: (budgetLength: number) => void;
  readonly onJump: () => void;
}

/** What befalls them, in order of time. */
function planned(
  { from, to, wanted, troubleMs, windowMoodMs, wrongClockMs }: YearsOptions,
  random: () => number,
  ca: VirtualCa,
  keeper: VirtualKeeper,
  { lookAtAll, onRestart, onJump }: Hooks,
): Event[] {
  const events: Event[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const anyIndex = (): number => Math.floor(random() * wanted.length);
  /** Again and again, after `pauseMs` to twice that. */
  const repeat = (pauseMs: number, happen: (at: number) => void): void => {
    for (let at = from + pauseMs; at < to; at += pauseMs * (1 + random())) events.push({ at, happen });
  };

  const setService = (service: Mood['service']): void => {
    ca.mood = { ...ca.mood, service };
  };
  if (troubleMs !== null) {
    for (let at = from + 30 * DAY_MS; at < to; ) {
      const [longest, calm] = troubleMs;
      const lengthMs = Math.exp(random() * Math.log(longest / HOUR_MS)) * HOUR_MS;
      const service = pick(['unreached', 'busy', 'blind', 'blind'] as const);
      const share = random();
      events.push({
        at,
        happen: () => {
          setService(service);
          ca.isBlindFor = (name) =>
            createHash('sha256')
              .update(name + share)
              .digest()[0]! /
              256 <
            share;
        },
      });
      events.push({ at: at + lengthMs, happen: () => setService('good') });
      at += lengthMs + calm * (1 + random());
    }
  }
  if (windowMoodMs !== null) {
    const moods = ['early', 'moving', 'gone', 'failing', 'malformed', 'reversed', 'far', 'past'] as const;
    repeat(windowMoodMs / 2, () => {
      ca.mood = { ...ca.mood, windows: random() < 0.5 ? 'planned' : pick(moods) };
    });
  }
  if (wrongClockMs !== null) {
    for (let at = from + 10 * DAY_MS; at < to; at += DAY_MS * (5 + 60 * random())) {
      const skewMs = pick([-1, 1]) * DAY_MS;
      const jump = (ms: number) => (when: number) => {
        keeper.skewMs = ms;
        onJump();
        lookAtAll(when);
      };
      events.push({ at, happen: jump(skewMs) }, { at: at + wrongClockMs * random(), happen: jump(0) });
    }
  }
  repeat(5 * DAY_MS, (at) => {
    onRestart(keeper.restart());
    lookAtAll(at);
  });
  repeat(15 * DAY_MS, () => {
    const certificate = keeper.certificate(anyIndex());
    if (certificate !== null) ca.revoke(certificate.id);
  });
  repeat(15 * DAY_MS, (at) => {
    keeper.request(anyIndex());
    lookAtAll(at);
  });
  repeat(60 * DAY_MS, (at) => {
    const one = wanted[anyIndex()]!;
    one.keyType = one.keyType === 'p256' ? 'rsa2048' : 'p256';
    lookAtAll(at);
  });
  repeat(400 * DAY_MS, () => {
    wanted[anyIndex()]!.configured = false;
  });
  return events.sort((a, b) => a.at - b.at);
}

interface Turn {
  readonly at: number;
  readonly index: number;
  readonly version: number;
}

/** A binary heap by time. */
class Queue {
  readonly #turns: Turn[] = [];

  push(at: number, index: number, version: number): void {
    const turns = this.#turns;
    const turn = { at, index, version };
    let place = turns.push(turn) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && turns[parent]!.at > at; parent = (place - 1) >> 1) {
      turns[place] = turns[parent]!;
      place = parent;
    }
    turns[place] = turn;
  }

  pop(): Turn | null {
    const turns = this.#turns;
    const first = turns[0];
    const last = turns.pop();
    if (first === undefined || last === undefined) return null;
    if (turns.length === 0) return first;
    let place = 0;
    for (let child = 1; child < turns.length; child = 2 * place + 1) {
      if (child + 1 < turns.length && turns[child + 1]!.at < turns[child]!.at) child++;
      if (turns[child]!.at >= last.at) break;
      turns[place] = turns[child]!;
      place = child;
    }
    turns[place] = last;
    return first;
  }
}

/** mulberry32: in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
