// What one worker has counted, as plain data that can come from another process, and how that of several is put together.
import { EMPTY_TABLE, type FigureTable, largestOf, rowsThat, sumOf } from './figure-table.ts';

/** These only grow; of several workers the sum, of those that are gone too. */
export interface MetricsCounters {
  /** By site and route; rows as route-tally.ts has them. Those that had an exchange. */
  readonly routes: FigureTable;
  /** By target; rows as target-figures.ts has them. */
  readonly targets: FigureTable;
  /** By target and reason. */
  readonly targetFailures: FigureTable;
  /** By kind of listener. */
  readonly accepted: FigureTable;
  /** By kind of listener and reason. */
  readonly refused: FigureTable;
  /** By version, and whether a session was resumed. */
  readonly handshakes: FigureTable;
  /** By reason. */
  readonly handshakeFailures: FigureTable;
  /** Seconds; see process-figures.ts. */
  readonly times: FigureTable;
}

/** What is now; of several workers the sum. */
export interface MetricsGauges {
  /** Exchanges under way. */
  readonly inflight: FigureTable;
  /** By target: requests in flight, open connections, and in how many workers it is drained, or failed last. */
  readonly targets: FigureTable;
  /** By kind of listener. */
  readonly open: FigureTable;
  /** Bytes; see process-figures.ts. */
  readonly memory: FigureTable;
}

export interface MetricsReport {
  readonly counters: MetricsCounters;
  readonly gauges: MetricsGauges;
  /** Seconds, by quantile; of several workers the worst: an average would hide the one that is stuck. */
  readonly eventLoopDelays: FigureTable;
}

/** Whether the configuration in force still names it. */
export interface ConfiguredNames {
  hasRoute(site: string, route: string): boolean;
  hasTarget(name: string): boolean;
}

const COUNTERS: readonly (keyof MetricsCounters)[] = [
  'routes',
  'targets',
  'targetFailures',
  'accepted',
  'refused',
  'handshakes',
  'handshakeFailures',
  'times',
];
const GAUGES: readonly (keyof MetricsGauges)[] = ['inflight', 'targets', 'open', 'memory'];

export const NO_COUNTERS: MetricsCounters = tablesBy(COUNTERS, () => EMPTY_TABLE);

export function countersTogether(all: readonly MetricsCounters[]): MetricsCounters {
  return tablesBy(COUNTERS, (name) => sumOf(all.map((counters) => counters[name])));
}

export function reportsTogether(reports: readonly MetricsReport[]): MetricsReport {
  if (reports.length === 1) return reports[0]!;
  return {
    counters: countersTogether(reports.map(({ counters }) => counters)),
    gauges: tablesBy(GAUGES, (name) => sumOf(reports.map(({ gauges }) => gauges[name]))),
    eventLoopDelays: largestOf(reports.map(({ eventLoopDelays }) => eventLoopDelays)),
  };
}

/** Without what is no longer configured, so that names do not pile up over many configurations. */
export function countersOf(counters: MetricsCounters, names: ConfiguredNames): MetricsCounters {
  return {
    ...counters,
    routes: rowsThat(counters.routes, ([site, route]) => names.hasRoute(site!, route!)),
    targets: rowsThat(counters.targets, ([target]) => names.hasTarget(target!)),
    targetFailures: rowsThat(counters.targetFailures, ([target]) => names.hasTarget(target!)),
  };
}

function tablesBy<K extends string>(names: readonly K[], table: (name: K) => FigureTable): Record<K, FigureTable> {
  return Object.fromEntries(names.map((name) => [name, table(name)])) as Record<K, FigureTable>;
}
