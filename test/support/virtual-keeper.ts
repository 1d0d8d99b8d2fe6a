// Keeps certificates in virtual time with the decisions of src/certs alone: the loop of managed-certificate.ts without
// sockets and files. What it remembers is plain JSON.
import { attemptAllowedAt, nextAttemptAt } from '../../src/certs/renewal/attempts.ts';
import {
  type BudgetLimits,
  type BudgetState,
  FULL_BUDGET,
  failuresLeft,
  type OrderCost,
  orderAllowedAt,
  readBudget,
  settle,
  withCertificate,
  withFailure,
  withOrder,
} from '../../src/certs/renewal/budget.ts';
import {
  needsRenewal,
  type RenewalDecision,
  type RenewalFacts,
  type RenewReason,
} from '../../src/certs/renewal/renewal.ts';
import {
  adoptRenewalInfo,
  checkDueAt,
  type FailedCheck,
  isOpen,
  postponeCheck,
  type RenewalWindow,
} from '../../src/certs/renewal/renewal-window.ts';
import type { KeyType } from '../../src/config/config.ts';
import { type VirtualCa, type VirtualCertificate, VirtualProblem } from './virtual-ca.ts';

export interface Wanted {
  readonly names: readonly string[];
  keyType: KeyType;
  readonly profile: string | null;
  /** False: no longer configured. */
  configured: boolean;
}

/** Of one certificate, as it would be stored. */
interface Memory {
  certificate: VirtualCertificate | null;
  window: RenewalWindow | null;
  check: FailedCheck | null;
  obtainedAt: number | null;
  failures: number;
  failingSince: number;
  lastError: { at: number } | null;
  nextAttemptAt: number | null;
  requested: boolean;
}

export interface Obtained {
  readonly index: number;
  /** True time. */
  readonly at: number;
  readonly reason: RenewReason;
  readonly before: VirtualCertificate | null;
  readonly certificate: VirtualCertificate;
}

export class VirtualKeeper {
  /** What the clock here says more than the true time. */
  skewMs = 0;
  onObtained: (obtained: Obtained) => void = () => {};
  /** How often something waited for a limit, by limit; how many windows were refused; how many attempts failed. */
  readonly waits = new Map<string, number>();
  windowsRefused = 0;
  failed = 0;
  readonly wanted: readonly Wanted[];
  readonly #ca: VirtualCa;
  readonly #limits: BudgetLimits | null;
  readonly #random: () => number;
  #memories: Memory[];
  #budget: BudgetState = FULL_BUDGET;

  constructor(wanted: readonly Wanted[], ca: VirtualCa, limits: BudgetLimits | null, random: () => number) {
    this.wanted = wanted;
    this.#ca = ca;
    this.#limits = limits;
    this.#random = random;
    this.#memories = wanted.map(() => ({
      certificate: null,
      window: null,
      check: null,
      obtainedAt: null,
      failures: 0,
      failingSince: 0,
      lastError: null,
      nextAttemptAt: null,
      requested: false,
    }));
  }

  certificate(index: number): VirtualCertificate | null {
    return this.#memories[index]!.certificate;
  }

  request(index: number): void {
    this.#memories[index]!.requested = true;
  }

  /** As often as the manager looks at the clock. */
  settleBudget(trueAt: number): void {
    if (this.#limits !== null) this.#budget = settle(this.#budget, this.#limits, trueAt + this.skewMs);
  }

  /** Nothing but what was stored is left; resolves how long that is. */
  restart(): number {
    const text = JSON.stringify({ memories: this.#memories, budget: this.#budget });
    const { memories, budget } = JSON.parse(text) as { memories: Memory[]; budget: unknown };
    this.#memories = memories;
    this.#budget = readBudget(budget);
    return JSON.stringify(this.#budget).length;
  }

  /** One turn; when the next is wanted, in true time. */
  tend(index: number, trueAt: number): number {
    const now = trueAt + this.skewMs;
    this.#askWindow(index, trueAt);
    const decision = this.#decide(index, now);
    if (decision.action === 'renew' && this.#allowedAt(index, decision.reason, now) <= now)
      this.#obtain(index, decision.reason, trueAt);
    return trueAt + Math.max(1_000, this.#dueAt(index, now) - now);
  }

  #dueAt(index: number, now: number): number {
    const decision = this.#decide(index, now);
    if (decision.action === 'nothing') return Number.POSITIVE_INFINITY;
    const memory = this.#memories[index]!;
    const checkAt =
      memory.certificate === null ? Number.POSITIVE_INFINITY : checkDueAt(memory.check ?? memory.window, now);
    const at = decision.action === 'wait' ? decision.at : this.#allowedAt(index, decision.reason, now);
    return Math.min(at, checkAt);
  }

  #decide(index: number, now: number): RenewalDecision {
    const { certificate, window, requested } = this.#memories[index]!;
    const { names, keyType, profile, configured } = this.wanted[index]!;
    const plain = { issuerId: 'ca', recognized: true, compromised: false, window, requested };
    const facts: RenewalFacts | null = certificate === null ? null : { ...certificate, ...plain };
    return needsRenewal(facts, configured ? { names, keyType, profiles: new Map([['ca', profile]]) } : null, now);
  }

  #allowedAt(index: number, reason: RenewReason, now: number): number {
    const at = attemptAllowedAt(this.#memories[index]!, now, reason);
    if (at > now || this.#limits === null) return at;
    const budget = orderAllowedAt(this.#budget, this.#costOf(index, now), this.#limits, now);
    const kind = budget.limit?.replace(/\S+\.\S+/, 'NAME');
    if (kind !== undefined) this.waits.set(kind, (this.waits.get(kind) ?? 0) + 1);
    return budget.at;
  }

  #costOf(index: number, now: number): OrderCost {
    const { certificate, window } = this.#memories[index]!;
    return { names: this.wanted[index]!.names, ari: isOpen(window, now), renewal: certificate !== null };
  }

  #askWindow(index: number, trueAt: number): void {
    const now = trueAt + this.skewMs;
    const memory = this.#memories[index]!;
    const { certificate, check, window } = memory;
    if (certificate === null || !this.wanted[index]!.configured || checkDueAt(check ?? window, now) > now) return;
    try {
      const info = this.#ca.renewalInfo(certificate.id, trueAt);
      memory.window = info === null ? null : adoptRenewalInfo(window, info, certificate, now, this.#random);
      memory.check = info === null ? postponeCheck(check, null, now, this.#random) : null;
    } catch (error) {
      if (!(error instanceof VirtualProblem)) {
        if ((error as { code?: string }).code !== 'renewal_info_invalid') throw error;
        this.windowsRefused++;
      }
      const retryAfterMs = error instanceof VirtualProblem ? error.retryAfterMs : null;
      memory.check = postponeCheck(check, retryAfterMs, now, this.#random);
    }
  }

  #obtain(index: number, reason: RenewReason, trueAt: number): void {
    const now = trueAt + this.skewMs;
    const memory = this.#memories[index]!;
    const before = memory.certificate;
    const cost = this.#costOf(index, now);
    const limits = this.#limits;
    if (limits !== null) this.#budget = withOrder(this.#budget, cost, limits, now);
    try {
      const order = { ...this.wanted[index]!, replaces: before?.id ?? null };
      const certificate = this.#ca.issue(order, trueAt);
      if (limits !== null) this.#budget = withCertificate(this.#budget, cost, limits, now);
      const calm = { window: null, check: null, failures: 0, lastError: null, nextAttemptAt: null, requested: false };
      Object.assign(memory, calm, { certificate, obtainedAt: now });
      this.onObtained({ index, at: trueAt, reason, before, certificate });
    } catch (error) {
      if (!(error instanceof VirtualProblem)) throw error;
      this.failed++;
      const { judged, retryAfterMs, identifiers } = error;
      if (limits !== null) this.#budget = withFailure(this.#budget, cost, identifiers, limits, now);
      if (memory.failures === 0) memory.failingSince = now;
      memory.failures++;
      memory.lastError = { at: now };
      const mayHurry = limits === null || failuresLeft(this.#budget, cost.names, limits, now) > 0;
      const { failures, failingSince } = memory;
      const failure = { failures, failingSince, retryAfterMs, judged, certificate: before, mayHurry };
      memory.nextAttemptAt = nextAttemptAt(failure, now, this.#random());
    }
  }
}
