// How long to wait between looks at something the CA is working on: as it asks, else a little longer each time.
import { setTimeout as delay } from 'node:timers/promises';

const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 5_000;
/** The longest Retry-After that is obeyed while polling. */
const MAX_RETRY_AFTER_MS = 60_000;

export class Pace {
  readonly #signal: AbortSignal;
  #nextMs = FIRST_POLL_MS;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Rejects with the signal's reason when it aborts. */
  async wait(retryAfterMs: number | null): Promise<void> {
    const ms =
      retryAfterMs === null ? this.#nextMs : Math.min(Math.max(retryAfterMs, FIRST_POLL_MS), MAX_RETRY_AFTER_MS);
    this.#nextMs = Math.min(this.#nextMs * 1.5, SLOWEST_POLL_MS);
    await delay(ms, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted());
  }
}
