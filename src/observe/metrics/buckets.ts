// The bounds of histograms. Numbers in a row of figures: how many were at most each bound and above the one before, how many
// were above all, and the sum of all.

export interface Buckets {
  /** Upper bounds, ascending, in the unit that is exposed. */
  readonly bounds: readonly number[];
  /** How many of what is counted make one of that unit. */
  readonly scale: number;
  /** Numbers that a histogram takes in a row. */
  readonly width: number;
}

function buckets(scale: number, ...bounds: number[]): Buckets {
  return { bounds, scale, width: bounds.length + 2 };
}

/** Counted in milliseconds, told in seconds. */
export const TIMES = buckets(1_000, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60);
/** To connect, with or without TLS. */
export const CONNECT_TIMES = buckets(1_000, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5);
const [KIB, MIB] = [1_024, 1_048_576];
/** In bytes. */
export const SIZES = buckets(1, 0, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 16 * MIB, 256 * MIB);

/** Counts `value` in the histogram that begins at `start` of `row`. */
export function observe(row: Float64Array, start: number, { bounds, scale, width }: Buckets, value: number): void {
  const scaled = value / scale;
  let i = 0;
  while (i < bounds.length && scaled > bounds[i]!) i++;
  row[start + i]!++;
  row[start + width - 1]! += scaled;
}
