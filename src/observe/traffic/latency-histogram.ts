// How long answers took in the last one to two minutes: counters by duration, four to each doubling, so that what is read out is
// true within an eighth. Several are put together by adding their counters.

/** Of the shortest duration that is told apart; what is shorter counts as this. */
const UNIT_MS = 1 / 8;
/** Two minutes; what is longer counts as that. */
const MAX_UNITS = 2 ** 20;
const MAX_BUCKET = 76;
const MINUTE_MS = 60_000;

/** Bucket and count in turn, only those that are not 0: plain data. */
export type LatencyCounts = readonly number[];

export interface Latency {
  /** Answers that were measured. */
  readonly count: number;
  /** Within so many milliseconds half of them began, and so on. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export class LatencyHistogram {
  /** When the latest answer began, monotonic. */
  answeredMs = 0;
  #now = new Uint32Array(MAX_BUCKET + 1);
  #before = new Uint32Array(MAX_BUCKET + 1);
  #nowCount = 0;
  #beforeCount = 0;
  #minute = 0;

  /** `atMs`: when it was measured, by a clock that never goes back. */
  add(durationMs: number, atMs: number): void {
    this.#advance(atMs);
    this.#now[bucketOf(durationMs)]!++;
    this.#nowCount++;
  }

  /** How many are left at `atMs`. */
  count(atMs: number): number {
    this.#advance(atMs);
    return this.#nowCount + this.#beforeCount;
  }

  /** What is left of it at `atMs`; empty when nothing is. */
  read(atMs: number): LatencyCounts {
    this.#advance(atMs);
    const counts: number[] = [];
    for (let bucket = 0; bucket <= MAX_BUCKET; bucket++) {
      const sum = this.#now[bucket]! + this.#before[bucket]!;
      if (sum > 0) counts.push(bucket, sum);
    }
    return counts;
  }

  #advance(atMs: number): void {
    const minute = Math.floor(atMs / MINUTE_MS);
    if (minute === this.#minute) return;
    [this.#now, this.#before] = [this.#before, this.#now];
    const hasBefore = minute === this.#minute + 1;
    if (this.#beforeCount > 0) this.#now.fill(0);
    if (!hasBefore && this.#nowCount > 0) this.#before.fill(0);
    this.#beforeCount = hasBefore ? this.#nowCount : 0;
    this.#nowCount = 0;
    this.#minute = minute;
  }
}

function bucketOf(durationMs: number): number {
  const units = Math.min(durationMs / UNIT_MS, MAX_UNITS) | 0;
  if (units < 4) return units;
  const exponent = 31 - Math.clz32(units);
  return exponent * 4 - 4 + ((units >> (exponent - 2)) & 3);
}

/** In the middle of what counts in a bucket, in milliseconds. */
function middleOf(bucket: number): number {
  if (bucket < 4) return (bucket + 0.5) * UNIT_MS;
  const exponent = Math.floor(bucket / 4) + 1;
  return 2 ** (exponent - 2) * (4.5 + (bucket % 4)) * UNIT_MS;
}

/** null when there is nothing to tell. */
export function latencyOf(counts: LatencyCounts): Latency | null {
  let total = 0;
  for (let i = 1; i < counts.length; i += 2) total += counts[i]!;
  if (total === 0) return null;
  const within = (ratio: number): number => {
    let seen = 0;
    for (let i = 0; i < counts.length; i += 2) {
      seen += counts[i + 1]!;
      if (seen >= total * ratio) return middleOf(counts[i]!);
    }
    return middleOf(MAX_BUCKET);
  };
  return { count: total, p50Ms: within(0.5), p95Ms: within(0.95), p99Ms: within(0.99) };
}

export function addedLatencies(a: LatencyCounts, b: LatencyCounts): LatencyCounts {
  const sums = new Map<number, number>();
  for (const counts of [a, b])
    for (let i = 0; i < counts.length; i += 2) sums.set(counts[i]!, (sums.get(counts[i]!) ?? 0) + counts[i + 1]!);
  return [...sums].sort(([x], [y]) => x - y).flat();
}
