// The only place that reads the time. Wall time is for certificates and logs; monotonic time is for deadlines.

export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds since the process started; never goes backwards. */
export function monotonicMs(): number {
  return performance.now();
}
