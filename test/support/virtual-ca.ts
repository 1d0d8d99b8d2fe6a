// A certificate authority in virtual time that keeps Let's Encrypt's published limits to the letter
// (letsencrypt.org/docs/rate-limits), and may be away, move its windows or say nonsense. Knows the true time only.

import type { RenewalInfo } from '../../src/certs/issuer.ts';
import { registeredDomain } from '../../src/certs/renewal/registered-domain.ts';
import type { KeyType } from '../../src/config/config.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface VirtualCertificate {
  readonly id: string;
  readonly names: readonly string[];
  readonly keyType: KeyType;
  readonly profile: string | null;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface VirtualOrder {
  readonly names: readonly string[];
  readonly keyType: KeyType;
  readonly profile: string | null;
  /** Id of the certificate that this one follows, or null. */
  readonly replaces: string | null;
}

/** What the CA is like for a while. */
export interface Mood {
  /** `unreached`: no answer; `busy`: 503; `blind`: it cannot validate some names. */
  readonly service: 'good' | 'unreached' | 'busy' | 'blind';
  readonly windows: 'planned' | 'early' | 'moving' | 'gone' | 'failing' | 'malformed' | 'reversed' | 'far' | 'past';
}

export class VirtualProblem extends Error {
  readonly judged: boolean;
  readonly retryAfterMs: number | null;
  /** That could not be validated. */
  readonly identifiers: readonly string[];

  constructor(message: string, judged: boolean, retryAfterMs: number | null, identifiers: readonly string[] = []) {
    super(message);
    this.judged = judged;
    this.retryAfterMs = retryAfterMs;
    this.identifiers = identifiers;
  }
}

/** [at once, one back after]: as published. */
const PUBLISHED = {
  orders: [300, 36_000],
  domain: [50, (7 * DAY_MS) / 50],
  set: [5, (7 * DAY_MS) / 5],
  failures: [5, HOUR_MS / 5],
  row: [1152, DAY_MS],
} as const;

type Kind = keyof typeof PUBLISHED;

export class VirtualCa {
  mood: Mood = { service: 'good', windows: 'planned' };
  /** Whether `blind` hits the name. */
  isBlindFor: (name: string) => boolean = () => true;
  /** Every limit that was exceeded; to stay empty. */
  readonly exceeded: string[] = [];
  issued = 0;
  refused = 0;
  readonly #random: () => number;
  readonly #lifetimeOf: (profile: string | null, at: number) => number;
  readonly #isLimited: boolean;
  /** Bucket → when it is full again. */
  readonly #fullAt = new Map<string, number>();
  readonly #certified = new Set<string>();
  readonly #replaced = new Set<string>();
  readonly #revoked = new Set<string>();
  readonly #certificates = new Map<string, VirtualCertificate>();

  constructor(random: () => number, lifetimeOf: (profile: string | null, at: number) => number, isLimited = true) {
    this.#random = random;
    this.#lifetimeOf = lifetimeOf;
    this.#isLimited = isLimited;
  }

  issue({ names, keyType, profile, replaces }: VirtualOrder, at: number): VirtualCertificate {
    const { service } = this.mood;
    if (service === 'unreached') throw new VirtualProblem('connect ECONNREFUSED', false, null);
    if (service === 'busy') throw new VirtualProblem('503', false, this.#anyWait());
    const set = [...names].sort().join(',');
    const domains = [...new Set(names.map(registeredDomain))];
    const isExempt = replaces !== null && !this.#replaced.has(replaces) && this.#isOpen(replaces, at);
    const isRenewal = this.#certified.has(set);
    for (const name of names) this.#demand('row', name, at);
    if (!isExempt) {
      for (const name of names) this.#demand('failures', name, at);
      this.#demand('set', set, at);
      if (!isRenewal) {
        this.#demand('orders', '', at);
        for (const domain of domains) this.#demand('domain', domain, at);
        this.#take('orders', '', at);
      }
    }
    if (service === 'blind') {
      const failed = names.filter(this.isBlindFor);
      for (const name of failed) {
        this.#take('failures', name, at);
        this.#take('row', name, at);
      }
      this.refused++;
      const wait = this.#random() < 0.1 ? this.#anyWait() : null;
      if (failed.length > 0) throw new VirtualProblem('DNS problem: NXDOMAIN', true, wait, failed);
    }
    if (!isExempt) {
      this.#take('set', set, at);
      if (!isRenewal) for (const domain of domains) this.#take('domain', domain, at);
    }
    for (const name of names) this.#fullAt.delete(`row:${name}`);
    this.#certified.add(set);
    if (replaces !== null) this.#replaced.add(replaces);
    const notBefore = at - HOUR_MS;
    const notAfter = notBefore + this.#lifetimeOf(profile, at);
    const certificate = { id: `${++this.issued}`, names, keyType, profile, notBefore, notAfter };
    this.#certificates.set(certificate.id, certificate);
    return certificate;
  }

  /** Null: it has no such service just now. */
  renewalInfo(id: string, at: number): RenewalInfo | null {
    const { service, windows } = this.mood;
    if (service === 'unreached' || service === 'busy' || windows === 'failing')
      throw new VirtualProblem('no renewal information', false, this.#anyWait());
    if (windows === 'gone') return null;
    return { ...this.#windowOf(id, at), retryAfterMs: this.#random() < 0.05 ? this.#anyWait() : 6 * HOUR_MS };
  }

  revoke(id: string): void {
    this.#revoked.add(id);
  }

  /** Boulder's core/objects.go: 2 % of the lifetime around two thirds, or around half below ten days; the past when revoked. */
  #windowOf(id: string, at: number): Pick<RenewalInfo, 'start' | 'end' | 'explanationUrl'> {
    const explanationUrl = 'https://ca.example/incident';
    if (this.#revoked.has(id)) return { start: at - HOUR_MS, end: at - HOUR_MS / 2, explanationUrl };
    const { notBefore, notAfter } = this.#certificates.get(id)!;
    const lifetimeMs = notAfter - notBefore;
    const middle = notBefore + lifetimeMs * (lifetimeMs < 10 * DAY_MS ? 1 / 2 : 2 / 3);
    const plan = { start: middle - lifetimeMs / 100, end: middle + lifetimeMs / 100, explanationUrl: null };
    switch (this.mood.windows) {
      case 'early':
        return { start: notBefore + lifetimeMs / 10, end: notBefore + lifetimeMs / 5, explanationUrl };
      case 'moving': {
        const byMs = this.#random() * 2 * HOUR_MS;
        return { ...plan, start: plan.start + byMs, end: plan.end + byMs };
      }
      case 'malformed':
        return { ...plan, start: Number.NaN };
      case 'reversed':
        return { ...plan, start: plan.end, end: plan.start };
      case 'far':
        return { ...plan, start: plan.start + 36_500 * DAY_MS, end: plan.end + 36_500 * DAY_MS };
      case 'past':
        return { ...plan, start: at - 2 * HOUR_MS, end: at - HOUR_MS };
      default:
        return plan;
    }
  }

  #isOpen(id: string, at: number): boolean {
    if (this.mood.windows === 'gone' || this.mood.windows === 'failing') return false;
    const { start, end } = this.#windowOf(id, at);
    return start <= at && at < end;
  }

  #demand(kind: Kind, subject: string, at: number): void {
    const [capacity, refillMs] = PUBLISHED[kind];
    const fullAt = Math.max(this.#fullAt.get(`${kind}:${subject}`) ?? 0, at) + refillMs;
    if (!this.#isLimited || fullAt - at <= capacity * refillMs) return;
    this.exceeded.push(`${kind} ${subject} at ${new Date(at).toISOString()}`);
    throw new VirtualProblem(`429 too many: ${kind} ${subject}`, true, fullAt - at - capacity * refillMs);
  }

  #take(kind: Kind, subject: string, at: number): void {
    const key = `${kind}:${subject}`;
    this.#fullAt.set(key, Math.max(this.#fullAt.get(key) ?? 0, at) + PUBLISHED[kind][1]);
  }

  #anyWait(): number | null {
    const waits = [null, 0, 5_000, 60_000, HOUR_MS, 30 * HOUR_MS, 100 * 365 * DAY_MS];
    return waits[Math.floor(this.#random() * waits.length)]!;
  }
}
