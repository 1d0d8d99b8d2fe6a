// What one worker counts while somebody may ask for it: gathered from where it is counted into one report.
import type { ExchangeFeed, ExchangeListener } from '../http/exchange-feed.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { ConnectionFigures } from '../observe/metrics/connection-figures.ts';
import { tableOf } from '../observe/metrics/figure-table.ts';
import type { MetricsReport } from '../observe/metrics/metrics-report.ts';
import { ProcessFigures } from '../observe/metrics/process-figures.ts';
import { RouteTally } from '../observe/metrics/route-tally.ts';
import { NONE } from '../observe/metrics/site-tallies.ts';
import type { Target } from '../upstream/target.ts';
import type { Snapshot } from './snapshot.ts';

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

  report({ all }: Pick<Snapshot, 'all'>, targets: readonly Target[]): MetricsReport {
    const { connections } = this;
    const strangers = this.#strangers.row;
    const routes = all.flatMap(({ tallies }) => [...tallies.rows()]);
    return {
      counters: {
        routes: tableOf(strangers === null ? routes : [strangers, ...routes]),
        targets: tableOf(targets.map(({ figures, name }) => figures.row(name))),
        targetFailures: tableOf(targets.flatMap(({ figures, name }) => [...figures.failureRows(name)])),
        accepted: connections.acceptedTable,
        refused: connections.refusedTable,
        handshakes: connections.handshakeTable,
        handshakeFailures: connections.handshakeFailureTable,
        times: this.#process.times,
      },
      gauges: {
        inflight: tableOf([{ labels: [], values: [this.#records.underWay] }]),
        targets: tableOf(
          targets.map(({ name, inflight, connections: open, drained, failure }) => ({
            labels: [name],
            values: [inflight, open, Number(drained), Number(failure !== null)],
          })),
        ),
        open: connections.openTable,
        memory: this.#process.memory,
      },
      eventLoopDelays: this.#process.eventLoopDelays,
    };
  }
}
