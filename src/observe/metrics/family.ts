// A metric with all its series: what it is called and means, and how its numbers are read from what has been counted.
import type { Buckets } from './buckets.ts';
import type { FigureSums } from './figure-sums.ts';

/** `suffix` of a histogram's: `_bucket`, `_sum`, `_count`. */
export interface Series {
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Besides `labels`, where several series share those. */
  readonly bound?: string;
  readonly value: number;
}

/** `T`: what it is read from. */
export interface Family<T> {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  readonly help: string;
  /** Names of its labels, `le` aside. */
  readonly labels: readonly string[];
  readonly series: (from: T) => Iterable<Series>;
}

type Sums<T> = (from: T) => FigureSums;

/** One series for each row: the number at `at`. */
export function column<T>(sums: Sums<T>, names: readonly string[], at = 0): Family<T>['series'] {
  return function* (from) {
    for (const { labels, values } of sums(from).rows) yield { labels: labelled(names, labels), value: values[at] ?? 0 };
  };
}

/** One histogram for each row: the one that begins at `start`. */
export function histograms<T>(
  sums: Sums<T>,
  names: readonly string[],
  start: number,
  { bounds, width }: Buckets,
): Family<T>['series'] {
  const les = [...bounds.map(String), '+Inf'];
  return function* (from) {
    for (const row of sums(from).rows) {
      const labels = labelled(names, row.labels);
      let count = 0;
      for (const [i, bound] of les.entries()) {
        count += row.values[start + i] ?? 0;
        yield { suffix: '_bucket', labels, bound, value: count };
      }
      yield { suffix: '_sum', labels, value: row.values[start + width - 1] ?? 0 };
      yield { suffix: '_count', labels, value: count };
    }
  };
}

export function labelled(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
