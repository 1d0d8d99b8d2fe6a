// Counts what a peer does that costs us more than it (limits.ts): each kind may come in a burst and then at a slow rate.
// Beyond that the connection ends with ENHANCE_YOUR_CALM.
import { ConnectionFault } from './fault.ts';
import { type Allowance, CONTROL_FRAMES, EMPTY_FRAMES, FORCED_RESETS, RESETS, WINDOW_UPDATES } from './limits.ts';

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

  /** Makes room for two more. */
  earn(): void {
    if (this.#level > -this.#allowance.burst) this.#level -= 2;
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

  /** We have sent a DATA frame, which is worth a window update for its stream and one for the connection. */
  dataSent(): void {
    this.#windowUpdates ??= new Bucket(WINDOW_UPDATES);
    this.#windowUpdates.earn();
  }
}

function tooMuch(what: string): ConnectionFault {
  return new ConnectionFault('ENHANCE_YOUR_CALM', `too many ${what}`);
}
