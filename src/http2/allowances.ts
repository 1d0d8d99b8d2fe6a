// Counts what a peer does that costs us more than it (limits.ts): each kind may come in a burst, then at a slow rate, and for
// what makes up for it. Beyond that the connection ends with ENHANCE_YOUR_CALM.
import { ConnectionFault } from './fault.ts';
import {
  type Allowance,
  CONTROL_FRAMES,
  CONTROL_FRAMES_PER_REQUEST,
  EMPTY_FRAMES,
  FORCED_RESETS,
  LATE_HEADERS,
  LATE_HEADERS_PER_RESET,
  RESETS,
  WINDOW_UPDATE_BYTES,
  WINDOW_UPDATES,
} from './limits.ts';

/** One bucket that empties with time, and with what makes up for it. */
class Bucket {
  readonly #allowance: Allowance;
  /** Below zero: earned beforehand. */
  #level = 0;
  #at = 0;
  #earned = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Whether one more is all right at `now` (milliseconds). `earned`: all that has made up for some so far. */
  add(now: number, earned = 0): boolean {
    const { burst, perSecond } = this.#allowance;
    if (now !== this.#at) {
      if (this.#level > 0) this.#level = Math.max(0, this.#level - ((now - this.#at) * perSecond) / 1_000);
      this.#at = now;
    }
    this.#level += 1 - (earned - this.#earned);
    this.#earned = earned;
    return this.#level <= burst;
  }
}

export class Allowances {
  readonly #now: () => number;
  #resets: Bucket | null = null;
  #forcedResets: Bucket | null = null;
  #controlFrames: Bucket | null = null;
  #emptyFrames: Bucket | null = null;
  #windowUpdates: Bucket | null = null;
  #lateHeaders: Bucket | null = null;
  #requests = 0;
  #dataFrames = 0;
  #dataUpdates = 0;
  #resetsSent = 0;

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
    const earned = this.#dataFrames + this.#requests * CONTROL_FRAMES_PER_REQUEST;
    if (!this.#controlFrames.add(this.#now(), earned)) throw tooMuch('control frames');
  }

  emptyFrame(): void {
    this.#emptyFrames ??= new Bucket(EMPTY_FRAMES);
    if (!this.#emptyFrames.add(this.#now())) throw tooMuch('empty frames');
  }

  windowUpdate(): void {
    this.#windowUpdates ??= new Bucket(WINDOW_UPDATES);
    if (!this.#windowUpdates.add(this.#now(), this.#dataUpdates)) throw tooMuch('window updates');
  }

  /** HEADERS for a stream that we have reset. */
  lateHeaders(): void {
    this.#lateHeaders ??= new Bucket(LATE_HEADERS);
    const earned = this.#resetsSent * LATE_HEADERS_PER_RESET;
    if (!this.#lateHeaders.add(this.#now(), earned)) throw tooMuch('frames of streams that are over');
  }

  // What makes up for some of it.

  /** A request has been opened. */
  requested(): void {
    this.#requests++;
  }

  /** We have sent so much in a DATA frame, which the peer's window did not cut short. */
  dataSent(bytes: number): void {
    this.#dataFrames++;
    this.#dataUpdates += 2 * Math.ceil(bytes / WINDOW_UPDATE_BYTES);
  }

  /** We have sent RST_STREAM. */
  resetSent(): void {
    this.#resetsSent++;
  }
}

function tooMuch(what: string): ConnectionFault {
  return new ConnectionFault('ENHANCE_YOUR_CALM', `too many ${what}`);
}
