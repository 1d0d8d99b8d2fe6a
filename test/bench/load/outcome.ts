// What one load saw from outside.

export interface Outcome {
  /** Complete and right. */
  readonly count: number;
  readonly seconds: number;
  /** Microseconds; null where the load does not take them. */
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  /** Everything that went wrong, in words; empty is the only good value. */
  readonly errors: readonly string[];
}

/** The value at `ratio` (0–1) of the sorted values; null without any. */
export function percentile(values: Float64Array | readonly number[], ratio: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * ratio))]!;
}

/** A time as wrk and h2load print it: number and unit. */
export function microseconds(number: string, unit: string): number {
  const factors: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 };
  return Number(number) * factors[unit]!;
}
