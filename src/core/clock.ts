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

/** Now, as a Date field has it (RFC 9110 section 5.6.7). */
export function httpDate(): string {
  return new Date().toUTCString();
}
