// Asking again until the answer is there: for foreign programs that do not announce that they are ready.
import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions {
  /** Gives up after this long and throws the last error. */
  readonly deadlineMs: number;
  /** Pause between two attempts. Default 25 ms. */
  readonly pauseMs?: number;
  /** When true, no further attempt can succeed: throws the last error at once. Default never. */
  readonly hopeless?: () => boolean;
}

/** The first result of `attempt` that is not a rejection. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const end = performance.now() + options.deadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= end || options.hopeless?.() === true) throw error;
      await delay(options.pauseMs ?? 25);
    }
  }
}
