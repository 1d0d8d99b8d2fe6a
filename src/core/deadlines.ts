// Deadlines for many connections at the price of one timer: each sets a number, one sweep a half-second looks at all.
import { monotonicMs } from './clock.ts';

/** How late a deadline may be noticed, in milliseconds. */
export const SWEEP_INTERVAL_MS = 500;

export interface Expiring {
  /** Monotonic milliseconds (core/clock); Infinity when there is no deadline. */
  deadlineAt: number;
  /** Called once per sweep while the deadline lies in the past; move or clear the deadline here. */
  onDeadline(now: number): void;
}

export class DeadlineSweep {
  readonly #members = new Set<Expiring>();
  #timer: NodeJS.Timeout | null = null;

  /** Number of members, for leak checks. */
  get size(): number {
    return this.#members.size;
  }

  add(member: Expiring): void {
    this.#members.add(member);
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.sweep(monotonicMs()), SWEEP_INTERVAL_MS);
      this.#timer.unref();
    }
  }

  delete(member: Expiring): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#stop();
  }

  /** Runs on its own; public so that a test can play time. */
  sweep(now: number): void {
    for (const member of this.#members) if (member.deadlineAt <= now) member.onDeadline(now);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
