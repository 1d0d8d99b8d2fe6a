// Counts what a peer does that costs us more than it (limits.ts): each kind may come in a burst and then at a slow rate.
// Beyond that the connection ends with ENHANCE_YOUR_CALM.
import { ConnectionFault } from './fault.ts';
import {
  type Allowance,
  CONTROL_FRAMES,
  EMPTY_FRAMES,
  FORCED_RESETS,
  RESETS,
  WINDOW_UPDATE_BYTES,
  WINDOW_UPDATES,
} from './limits.ts';

/** One bucket that empties with time. */
class Bucket {
  readonly #allowance: Allowance;
  /** Below zero: earned beforehand, as much as the burst at most. */
  #level = 0;
  #at = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Whether one more is all right at `now` (milliseconds). */
  add(now: number): boolean {
    if (now !== this.#at) {
      const drained = ((now - this.#at) * this.#allowance.perSecond) / 1_000;
      if (this.#level > 0) this.#level = Math.max(0, this.#level - drained);
      this.#at = now;
    }
    this.#level++;
    return this.#level <= this.#allowance.burst;
  }

  /** Makes room for so many more. */
  earn(count: number): void {
    if (this.#level > -this.#allowance.burst) this.#level -= count;
  }
}

export class Allowances {
  readonly #now: () => number;
  #resets: Bucket | null = null;
  #forcedResets: Bucket | null = null;
  #controlFrames: Bucket | null = null;
  #emptyFrames: Bucket | null = null;
  #windowUpdates: Bucket | null = null;

  /** `now`: milliseconds, as coarse as you like. */
  constructor(now: () => number) {
    this.#now = now;
  }

  // Each throws ConnectionFault when it is too much.

  reset(): void {
    this.#resets ??= new Bucket(RESETS);
    if (!this.#resets.add(this.#now())) throw tooMuch('resets');
  }

  forcedReset(): void {
    this.#forcedResets ??= new Bucket(FORCED_RESETS);
    if (!this.#forcedResets.add(this.#now())) throw tooMuch('stream errors');
  }

  controlFrame(): void {
    this.#controlFrames ??= new Bucket(CONTROL_FRAMES);
    if (!this.#controlFrames.add(this.#now())) throw tooMuch('control frames');
  }

  emptyFrame(): void {
    this.#emptyFrames ??= new Bucket(EMPTY_FRAMES);
    if (!this.#emptyFrames.add(this.#now())) throw tooMuch('empty frames');
  }

  windowUpdate(): void {
    this.#windowUpdates ??= new Bucket(WINDOW_UPDATES);
    if (!this.#windowUpdates.add(this.#now())) throw tooMuch('window updates');
  }

  /**
   * We have sent so much in a DATA frame. That is worth window updates for its stream and for the connection, and a PING:
   * gRPC libraries measure with one how much is on the way, as often as content comes.
   */
  dataSent(bytes: number): void {
    this.#windowUpdates ??= new Bucket(WINDOW_UPDATES);
    this.#windowUpdates.earn(2 * Math.ceil(bytes / WINDOW_UPDATE_BYTES));
    this.#controlFrames ??= new Bucket(CONTROL_FRAMES);
    this.#controlFrames.earn(1);
  }
}

function tooMuch(what: string): ConnectionFault {
  return new ConnectionFault('ENHANCE_YOUR_CALM', `too many ${what}`);
}
