// What a worker tells of itself, put together when it is asked. The history of its traffic is kept while there is an admin
// endpoint that somebody may ask.
import { type Clock, monotonicMs } from '../core/clock.ts';
import { printable } from '../core/printable.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import type { MetricsReport } from '../observe/metrics/metrics-report.ts';
import { TrafficHistory } from '../observe/traffic/traffic-history.ts';
import type { Target } from '../upstream/target.ts';
import type { Snapshot } from './snapshot.ts';
import { targetNames } from './target-registry.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import type { TargetReport, WorkerReport } from './worker-report.ts';

export interface ReporterSources {
  readonly clock: Clock;
  readonly records: ExchangeFeed;
  /** Those in force. */
  readonly snapshot: () => Snapshot;
  readonly targets: () => Iterable<Target>;
  /** Of clients, open now. */
  readonly connections: () => number;
  readonly metrics: WorkerMetrics;
}

export class Reporter {
  readonly #sources: ReporterSources;
  readonly #startedAt: number;
  readonly #history: TrafficHistory;
  #isWanted = false;

  constructor(sources: ReporterSources) {
    this.#sources = sources;
    this.#startedAt = sources.clock.now();
    this.#history = new TrafficHistory(sources.clock);
  }

  /** Counts, or does not, as the configuration in force wants it. */
  adopt(): void {
    const { all, config } = this.#sources.snapshot();
    this.#isWanted = config.admin !== null;
    this.#history.listen(this.#sources.records, this.#isWanted);
    this.#sources.metrics.listen(this.#isWanted);
    this.#history.keepOnly(new Set(all.map(({ host }) => host)), targetNames(config));
  }

  /** What has been counted; to be read with other work between. */
  metricsPages(): Generator<MetricsReport, null> {
    const { metrics, snapshot, targets } = this.#sources;
    return metrics.pages(snapshot().all, [...targets()]);
  }

  report(): WorkerReport {
    const { clock, snapshot, targets, connections } = this.#sources;
    const offsetMs = clock.now() - monotonicMs();
    return {
      pid: process.pid,
      startedAt: this.#startedAt,
      connections: connections(),
      targets: [...targets()].map((target) => targetReport(target, offsetMs)),
      inflight: inflightOf(snapshot()),
      traffic: this.#isWanted ? this.#history.read() : null,
    };
  }
}

/** `offsetMs`: from monotonic time to that since the epoch. */
function targetReport({ name, inflight, connections, drained, failure }: Target, offsetMs: number): TargetReport {
  if (failure === null) return { name, inflight, connections, drained, failure };
  const { sinceMs, lastMs, count, code, message } = failure;
  const times = { sinceAt: Math.round(sinceMs + offsetMs), lastAt: Math.round(lastMs + offsetMs) };
  return {
    name,
    inflight,
    connections,
    drained,
    failure: { ...times, count, code, message: printable(message).slice(0, 300) },
  };
}

function inflightOf({ all }: Snapshot): WorkerReport['inflight'] {
  const busy: Record<string, number> = {};
  for (const { host, upstreams } of all) {
    const inflight = upstreams.reduce((sum, upstream) => sum + upstream.inflight, 0);
    if (inflight > 0) busy[host] = inflight;
  }
  return busy;
}
