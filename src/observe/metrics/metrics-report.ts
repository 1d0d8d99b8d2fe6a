// What one worker has counted, as plain data that can come from another process: in pages, since ten thousand sites in one piece
// would hold up whoever makes them, and whoever reads them.
import { EMPTY_TABLE, type FigureTable } from './figure-table.ts';

/** These only grow; of several workers the sum, of those that are gone too. */
export interface MetricsCounters<Table = FigureTable> {
  /** By site and route; rows as route-tally.ts has them. Those that had an exchange. */
  readonly routes: Table;
  /** By target; rows as target-figures.ts has them. */
  readonly targets: Table;
  /** By target and reason. */
  readonly targetFailures: Table;
  /** By kind of listener. */
  readonly accepted: Table;
  /** By kind of listener and reason. */
  readonly refused: Table;
  /** By version, and whether a session was resumed. */
  readonly handshakes: Table;
  /** By reason. */
  readonly handshakeFailures: Table;
  /** Seconds; see process-figures.ts. */
  readonly times: Table;
}

/** What is now; of several workers the sum. */
export interface MetricsGauges<Table = FigureTable> {
  /** Exchanges under way. */
  readonly inflight: Table;
  /** By target: requests in flight, open connections, and in how many workers it is drained, or failed last. */
  readonly targets: Table;
  /** By kind of listener. */
  readonly open: Table;
  /** Bytes; see process-figures.ts. */
  readonly memory: Table;
}

/** One page. */
export interface MetricsReport {
  readonly counters: MetricsCounters;
  readonly gauges: MetricsGauges;
  /** Seconds, by quantile; of several workers the worst: an average would hide the one that is stuck. */
  readonly eventLoopDelays: FigureTable;
}

export const COUNTERS: readonly (keyof MetricsCounters)[] = [
  'routes',
  'targets',
  'targetFailures',
  'accepted',
  'refused',
  'handshakes',
  'handshakeFailures',
  'times',
];
export const GAUGES: readonly (keyof MetricsGauges)[] = ['inflight', 'targets', 'open', 'memory'];

export const NO_COUNTERS: MetricsCounters = tablesBy(COUNTERS, () => EMPTY_TABLE);
export const NO_GAUGES: MetricsGauges = tablesBy(GAUGES, () => EMPTY_TABLE);

/** For each name one. */
export function tablesBy<K extends string, T>(names: readonly K[], table: (name: K) => T): Record<K, T> {
  return Object.fromEntries(names.map((name) => [name, table(name)])) as Record<K, T>;
}
