// A stream of a server's connection and how long its client is waited for: by what is wanted of it, and by what it has done
// since. One number that the sweep looks at; no timer.
import type { DeadlineSweep, Expiring } from '../core/deadlines.ts';
import { leastDownload, leastUpload, type ServerTimeouts } from '../http/grace.ts';
import { Stream, type StreamHost } from './stream.ts';

export interface StreamTiming {
  readonly timeouts: ServerTimeouts;
  readonly sweep: DeadlineSweep;
}

export abstract class TimedStream extends Stream implements Expiring {
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly #timing: StreamTiming;
  #swept = false;
  /** Bytes taken, and sent, since its client last earned time by it. */
  #unrewarded = 0;
  #sentUnrewarded = 0;

  constructor(streamId: number, host: StreamHost, timing: StreamTiming) {
    super(streamId, host);
    this.#timing = timing;
  }

  /** How long its client is waited for from now on, in milliseconds; Infinity when it has nothing to do; null: it is over. */
  protected abstract patienceMs(timeouts: ServerTimeouts): number | null;
  abstract onDeadline(): void;

  /** Content of the request has come. `isTerse`: from one of two that talk with each other. */
  protected earnByTaken(bytes: number, isTerse: boolean): boolean {
    this.#unrewarded += bytes;
    if (!isTerse && this.#unrewarded < leastUpload(this.#timing.timeouts)) return false;
    this.#unrewarded = 0;
    return true;
  }

  protected onSent(bytes: number): void {
    this.#sentUnrewarded += bytes;
    if (this.queuedBytes > 0 && this.#sentUnrewarded < leastDownload(this.#timing.timeouts)) return;
    this.#sentUnrewarded = 0;
    this.updateDeadline();
  }

  protected updateDeadline(): void {
    const { sweep, timeouts } = this.#timing;
    const ms = this.patienceMs(timeouts);
    if (ms === null) {
      if (this.#swept) sweep.delete(this);
      this.#swept = false;
      return;
    }
    this.deadlineAt = ms === Number.POSITIVE_INFINITY ? ms : sweep.after(ms);
    if (this.#swept || ms === Number.POSITIVE_INFINITY) return;
    this.#swept = true;
    sweep.add(this);
  }
}
