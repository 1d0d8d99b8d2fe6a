// Deadlines for many connections at the price of one timer and no look at the clock: each is a number, set from the time of
// the last sweep; one sweep every half second looks at all.
import { monotonicMs } from './clock.ts';

/** How much later than asked for a deadline may be noticed, in milliseconds; and as much again as sweeps themselves come late. */
export const SWEEP_INTERVAL_MS = 500;

export interface Expiring {
  /** From DeadlineSweep.after; Infinity when there is no deadline. */
  deadlineAt: number;
  /** Called once per sweep while the deadline lies in the past; move or clear the deadline here. */
  onDeadline(): void;
}

export class DeadlineSweep {
  readonly #members = new Set<Expiring>();
  #timer: NodeJS.Timeout | null = null;
  #now = 0;
  #sweptAt = 0;

  /** Number of members, for leak checks. */
  get size(): number {
    return this.#members.size;
  }

  /** A deadline that passes no earlier than `ms` milliseconds from now. */
  after(ms: number): number {
    return this.#now + ms + SWEEP_INTERVAL_MS;
  }

  add(member: Expiring): void {
    this.#members.add(member);
    if (this.#timer !== null) return;
    this.#sweptAt = monotonicMs();
    this.#timer = setInterval(() => this.#tick(), SWEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  delete(member: Expiring): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#stop();
  }

  /** Runs on its own; `aheadMs`: as if it were that much later, so that a test can play time. */
  sweep(aheadMs = 0): void {
    const now = this.#now + aheadMs;
    const due: Expiring[] = [];
    for (const member of this.#members) if (member.deadlineAt <= now) due.push(member);
    // What one does may end another, or begin one whose time has not come.
    for (const member of due) if (member.deadlineAt <= now && this.#members.has(member)) member.onDeadline();
  }

  /** While the process stands still, so does this clock: nobody is blamed for silence that we did not listen to. */
  #tick(): void {
    const now = monotonicMs();
    this.#now += Math.min(now - this.#sweptAt, SWEEP_INTERVAL_MS);
    this.#sweptAt = now;
    this.sweep();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
