// What one worker counts while somebody may ask for it, gathered from where it is counted, in pages.
import { setImmediate } from 'node:timers/promises';
import type { ExchangeFeed, ExchangeListener } from '../http/exchange-feed.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { ConnectionFigures } from '../observe/metrics/connection-figures.ts';
import { EMPTY_TABLE, tableOf } from '../observe/metrics/figure-table.ts';
import { type MetricsReport, NO_COUNTERS, NO_GAUGES } from '../observe/metrics/metrics-report.ts';
import { MetricsSums } from '../observe/metrics/metrics-sums.ts';
import { ProcessFigures } from '../observe/metrics/process-figures.ts';
import { RouteTally } from '../observe/metrics/route-tally.ts';
import { NONE } from '../observe/metrics/site-tallies.ts';
import type { Target } from '../upstream/target.ts';
import type { BuiltSite } from './snapshot.ts';

/** Sites, or targets, of one page. A page takes a millisecond or so, here and where it is read. */
const PAGE = 250;

export class WorkerMetrics implements ExchangeListener {
  readonly connections = new ConnectionFigures();
  readonly #records: ExchangeFeed;
  readonly #process = new ProcessFigures();
  /** Whoever was asked for and is not here, all in one. */
  readonly #strangers = new RouteTally(NONE, NONE);

  constructor(records: ExchangeFeed) {
    this.#records = records;
  }

  /** Counts exchanges that end from now on, or no more: nobody can ask. */
  listen(isWanted: boolean): void {
    if (isWanted) {
      this.#records.add(this);
      this.#process.start();
    } else this.stop();
  }

  stop(): void {
    this.#records.delete(this);
    this.#process.stop();
  }

  onExchange(record: ExchangeRecord): void {
    (record.tally ?? this.#strangers).onExchange(record);
  }

  /** Whatever is configured between one page and the next, those that there were at the first are told, each once. */
  *pages(sites: readonly BuiltSite[], targets: readonly Target[]): Generator<MetricsReport, null> {
    yield this.#first();
    for (let at = 0; at < sites.length; at += PAGE) {
      const rows = sites.slice(at, at + PAGE).flatMap(({ tallies }) => tallies.rows);
      if (rows.length > 0) yield { ...NOTHING, counters: { ...NO_COUNTERS, routes: tableOf(rows) } };
    }
    for (let at = 0; at < targets.length; at += PAGE) yield pageOf(targets.slice(at, at + PAGE));
    return null;
  }

  #first(): MetricsReport {
    const { connections } = this;
    const strangers = this.#strangers.row;
    return {
      counters: {
        ...NO_COUNTERS,
        routes: tableOf(strangers === null ? [] : [strangers]),
        accepted: connections.acceptedTable,
        refused: connections.refusedTable,
        handshakes: connections.handshakeTable,
        handshakeFailures: connections.handshakeFailureTable,
        times: this.#process.times,
      },
      gauges: {
        ...NO_GAUGES,
        inflight: tableOf([{ labels: [], values: [this.#records.underWay] }]),
        open: connections.openTable,
        memory: this.#process.memory,
      },
      eventLoopDelays: this.#process.eventLoopDelays,
    };
  }
}

/** With other work between. */
export async function sumOf(pages: Iterable<MetricsReport>): Promise<MetricsSums> {
  const sums = new MetricsSums();
  for (const page of pages) {
    sums.add(page);
    await setImmediate();
  }
  return sums;
}

const NOTHING: MetricsReport = { counters: NO_COUNTERS, gauges: NO_GAUGES, eventLoopDelays: EMPTY_TABLE };

function pageOf(targets: readonly Target[]): MetricsReport {
  const now = targets.map(({ name, inflight, connections, drained, failure }) => ({
    labels: [name],
    values: [inflight, connections, Number(drained), Number(failure !== null)],
  }));
  return {
    ...NOTHING,
    counters: {
      ...NO_COUNTERS,
      targets: tableOf(targets.map(({ figures, name }) => figures.row(name))),
      targetFailures: tableOf(targets.flatMap(({ figures, name }) => [...figures.failureRows(name)])),
    },
    gauges: { ...NO_GAUGES, targets: tableOf(now) },
  };
}
