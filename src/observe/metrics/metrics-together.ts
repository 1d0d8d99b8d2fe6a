// The figures of all workers that there have been, so that no counter ever goes back: what a worker has counted stays when it
// is gone, what it had at the moment does not.
import {
  type ConfiguredNames,
  countersOf,
  countersTogether,
  type MetricsCounters,
  type MetricsReport,
  NO_COUNTERS,
  reportsTogether,
} from './metrics-report.ts';

/** A worker's report (server/worker-report.ts), as far as it matters here. */
export interface WorkerFigures {
  readonly pid: number;
  /** Milliseconds since the epoch; with `pid` it names the worker for good. */
  readonly startedAt: number;
  readonly metrics: MetricsReport;
}

/** So many of those that are gone are known by name: a report of theirs may still be on its way. */
const REMEMBERED = 1_000;

export class MetricsTogether {
  /** By name, those that live. */
  readonly #latest = new Map<string, WorkerFigures>();
  readonly #gone = new Set<string>();
  #departed: MetricsCounters = NO_COUNTERS;

  /** The newest of a worker, in place of the one before. Whenever one comes: what was never told is lost with its worker. */
  take(report: WorkerFigures): void {
    const name = nameOf(report);
    if (this.#gone.has(name)) return;
    for (const other of this.#latest.values())
      if (other.pid === report.pid && other.startedAt !== report.startedAt) this.leave(other);
    this.#latest.set(name, report);
  }

  /** A worker has ended, however it did. Idempotent. */
  leave(worker: Pick<WorkerFigures, 'pid' | 'startedAt'>): void {
    const name = nameOf(worker);
    const last = this.#latest.get(name);
    this.#latest.delete(name);
    this.#gone.add(name);
    if (this.#gone.size > REMEMBERED) this.#gone.delete(this.#gone.values().next().value!);
    if (last !== undefined) this.#departed = countersTogether([this.#departed, last.metrics.counters]);
  }

  /** All others have ended. */
  keepWorkers(pids: ReadonlySet<number>): void {
    for (const worker of this.#latest.values()) if (!pids.has(worker.pid)) this.leave(worker);
  }

  /** Another configuration is in force: what it does not name is forgotten. */
  keepOnly(names: ConfiguredNames): void {
    this.#departed = countersOf(this.#departed, names);
  }

  /** Of all workers together. */
  report(): MetricsReport {
    const { counters, ...present } = reportsTogether([...this.#latest.values()].map(({ metrics }) => metrics));
    return { ...present, counters: countersTogether([this.#departed, counters]) };
  }
}

function nameOf({ pid, startedAt }: Pick<WorkerFigures, 'pid' | 'startedAt'>): string {
  return `${pid} ${startedAt}`;
}
