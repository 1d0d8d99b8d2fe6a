// The figures of all workers that there have been, so that no counter ever goes back: what a worker has counted stays when it
// is gone, what it had at the moment does not.
import { setImmediate } from 'node:timers/promises';
import type { MetricsReport } from './metrics-report.ts';
import { type ConfiguredNames, MetricsSums } from './metrics-sums.ts';

/** Whatever stands for a worker, for good. */
type Worker = object;

export class MetricsTogether {
  readonly #latest = new Map<Worker, readonly MetricsReport[]>();
  readonly #gone = new WeakSet<Worker>();
  /** Counters only. */
  readonly #departed = new MetricsSums();

  /** The newest pages of a worker, all of them, in place of those before. What was never told is lost with its worker. */
  take(worker: Worker, pages: readonly MetricsReport[]): void {
    if (!this.#gone.has(worker)) this.#latest.set(worker, pages);
  }

  /** A worker has ended, however it did. Idempotent. */
  leave(worker: Worker): void {
    const last = this.#latest.get(worker) ?? [];
    this.#latest.delete(worker);
    this.#gone.add(worker);
    for (const { counters } of last) this.#departed.addCounters(counters);
  }

  /** Another configuration is in force: what it does not name is forgotten. */
  keepOnly(names: ConfiguredNames): void {
    this.#departed.keepOnly(names);
  }

  /** Of all workers together; in pieces with other work between, though of one moment. */
  async sums(): Promise<MetricsSums> {
    const sums = new MetricsSums();
    sums.addCountersOf(this.#departed);
    for (const page of [...this.#latest.values()].flat()) {
      sums.add(page);
      await setImmediate();
    }
    return sums;
  }
}
