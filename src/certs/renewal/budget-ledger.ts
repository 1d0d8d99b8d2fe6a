// Keeps the books of one issuer's limits: budget.ts says what an order costs, this keeps it in storage as
// `budgets/<issuer>.json`, changed under a lock by every process that shares the account.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Locker, Storage } from '../storage/storage.ts';
import {
  type BudgetLimits,
  type BudgetState,
  budgetLeft,
  FULL_BUDGET,
  failuresLeft,
  type OrderCost,
  orderAllowedAt,
  readBudget,
  settle,
  withCertificate,
  withFailure,
  withOrder,
} from './budget.ts';

export interface BudgetLedgerOptions {
  readonly issuerId: string;
  readonly limits: BudgetLimits;
  readonly storage: Storage;
  readonly locker: Locker;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Why an order must wait: until when, and for which limit. */
export interface BudgetWait {
  readonly at: number;
  readonly limit: string;
}

export type BudgetLeft = ReturnType<typeof budgetLeft>;

export class BudgetLedger {
  readonly #options: BudgetLedgerOptions;
  readonly #key: string;
  #state: BudgetState = FULL_BUDGET;

  constructor(options: BudgetLedgerOptions) {
    this.#options = options;
    this.#key = `budgets/${options.issuerId}`;
  }

  /** Reads what is in storage, for those who only look. Never rejects. */
  async load(): Promise<void> {
    this.#state = await this.#read();
  }

  /**
   * Books an order and returns null, or returns what it has to wait for and books nothing. Rejects when the books cannot
   * be kept: then no order may be made.
   */
  async reserve(cost: OrderCost, signal: AbortSignal): Promise<BudgetWait | null> {
    const { limits, clock } = this.#options;
    let wait: BudgetWait | null = null;
    await this.#change(signal, (state) => {
      const now = clock.now();
      const { at, limit } = orderAllowedAt(state, cost, limits, now);
      wait = limit === null ? null : { at, limit };
      // Stored also when nothing is booked: what a clock that ran ahead wrote begins to refill.
      return limit === null ? withOrder(state, cost, limits, now) : settle(state, limits, now);
    });
    return wait;
  }

  /** The order became a certificate. Never rejects. */
  async certified(cost: OrderCost, signal: AbortSignal): Promise<void> {
    const { limits, clock } = this.#options;
    await this.#book(signal, (state) => withCertificate(state, cost, limits, clock.now()));
  }

  /** The order failed; `identifiers`: those that could not be validated. Never rejects. */
  async failed(cost: OrderCost, identifiers: readonly string[], signal: AbortSignal): Promise<void> {
    const { limits, clock } = this.#options;
    await this.#book(signal, (state) => withFailure(state, cost, identifiers, limits, clock.now()));
  }

  /** As last read or changed here. */
  mayHurry(names: readonly string[]): boolean {
    return failuresLeft(this.#state, names, this.#options.limits, this.#options.clock.now()) > 0;
  }

  /** What is left of every limit that an order for `names` meets; as last read or changed here. */
  left(names: readonly string[]): BudgetLeft {
    return budgetLeft(this.#state, names, this.#options.limits, this.#options.clock.now());
  }

  async #book(signal: AbortSignal, change: (state: BudgetState) => BudgetState): Promise<void> {
    try {
      await this.#change(signal, change);
    } catch (error) {
      this.#state = change(this.#state);
      if (!signal.aborted)
        this.#options.log.warn({ issuer: this.#options.issuerId, err: error }, 'budget of the issuer not stored');
    }
  }

  async #change(signal: AbortSignal, change: (state: BudgetState) => BudgetState): Promise<void> {
    const { storage, locker } = this.#options;
    const lock = await locker.acquire(this.#key, signal);
    try {
      const next = change(await this.#read());
      await lock.assertHeld();
      await storage.store(`${this.#key}.json`, `${JSON.stringify(next)}\n`);
      this.#state = next;
    } finally {
      await lock.release();
    }
  }

  /** What cannot be read counts as it is remembered here. */
  async #read(): Promise<BudgetState> {
    try {
      const text = await this.#options.storage.load(`${this.#key}.json`);
      return text === null ? FULL_BUDGET : readBudget(JSON.parse(text));
    } catch (error) {
      this.#options.log.warn({ issuer: this.#options.issuerId, err: error }, 'budget of the issuer unreadable');
      return this.#state;
    }
  }
}
