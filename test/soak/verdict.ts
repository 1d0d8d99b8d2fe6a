// Whether a process kept flat: pure, from what it held in time. Memory of a collected language is noisy, so each bound has
// its reason.

/** What a process held at one moment. */
export interface Holding {
  readonly rss: number;
  readonly heapUsed: number;
  /** Buffers and OpenSSL as far as V8 knows of them. */
  readonly external: number;
  /** Open file descriptors. */
  readonly files: number;
  /** Sockets, timers and requests that keep an event loop alive. */
  readonly handles: number;
  /** Of the deadline sweep: connections of both sides. */
  readonly members: number;
}

export interface Course {
  /** One each second, under load, from the end of the warm-up on. */
  readonly samples: readonly Holding[];
  /** At rest after a collection: after the warm-up, and at the end. */
  readonly before: Holding;
  readonly after: Holding;
}

const MIB = 1024 * 1024;

/**
 * Live objects at rest differ by what the compiler and caches (sessions, idle targets) still learn: 1–2 MiB were seen in
 * a quarter of an hour. In an hour at 200 requests a second, 4 MiB are 6 bytes for each request.
 */
const MOST_LIVE_BYTES = 4 * MIB;
/**
 * Resident memory follows the collector's timing: three young spaces of up to 16 MiB, and the allocator's arenas, grow to
 * the worst moment so far and shrink late. The medians of two quarters leave that out but for this much.
 */
const MOST_RSS_BYTES = 24 * MIB;
const MOST_RSS_RATIO = 0.1;
/** A short run is still growing into its working set. */
const SHORT_SAMPLES = 120;
const MOST_RSS_BYTES_SHORT = 64 * MIB;

export interface Verdict {
  readonly figures: Readonly<Record<string, string>>;
  /** In words; empty when flat. */
  readonly faults: readonly string[];
}

export function judge({ samples, before, after }: Course): Verdict {
  const faults: string[] = [];
  const rss = samples.map((sample) => sample.rss);
  const quarter = Math.floor(rss.length / 4);
  const second = median(rss.slice(quarter, 2 * quarter));
  const last = median(rss.slice(3 * quarter));
  const allowed = rss.length < SHORT_SAMPLES ? MOST_RSS_BYTES_SHORT : Math.max(MOST_RSS_BYTES, second * MOST_RSS_RATIO);
  if (!(last - second <= allowed))
    faults.push(
      `resident memory grew by ${mib(last - second)} from the second quarter to the last: over ${mib(allowed)}`,
    );
  for (const what of ['heapUsed', 'external'] as const) {
    const grown = after[what] - before[what];
    if (!(grown <= MOST_LIVE_BYTES)) faults.push(`${what} at rest grew by ${mib(grown)}: over ${mib(MOST_LIVE_BYTES)}`);
  }
  for (const what of ['files', 'handles', 'members'] as const)
    if (!(after[what] <= before[what])) faults.push(`${what} at rest grew from ${before[what]} to ${after[what]}`);
  return {
    figures: {
      'RSS, median of the second quarter': mib(second),
      'RSS, median of the last quarter': mib(last),
      'RSS, slope by least squares': `${mib(slope(rss) * 3_600)}/h`,
      'RSS, highest': mib(Math.max(...rss)),
      'heap at rest': `${mib(before.heapUsed)} → ${mib(after.heapUsed)}`,
      'external at rest': `${mib(before.external)} → ${mib(after.external)}`,
      'files, handles, sweep members at rest': [before, after]
        .map(({ files, handles, members }) => `${files}, ${handles}, ${members}`)
        .join(' → '),
    },
    faults,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Growth from one value to the next. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let covariance = 0;
  let variance = 0;
  for (const [index, value] of values.entries()) {
    covariance += (index - middle) * (value - mean);
    variance += (index - middle) ** 2;
  }
  return covariance / variance;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
