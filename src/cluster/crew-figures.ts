// The figures of a crew of processes: those of its workers, whoever has ended meanwhile, and what the primary itself takes of the
// machine.
import { tableOf } from '../observe/metrics/figure-table.ts';
import { type ConfiguredNames, type MetricsReport, reportsTogether } from '../observe/metrics/metrics-report.ts';
import { MetricsTogether } from '../observe/metrics/metrics-together.ts';
import { ProcessFigures } from '../observe/metrics/process-figures.ts';
import type { WorkerReport } from '../server/worker-report.ts';

export class CrewFigures {
  readonly #together = new MetricsTogether();
  readonly #own = new ProcessFigures();

  /** `alive`: process ids of all that have not ended; of the others what is known is all there will be. */
  take(reports: readonly WorkerReport[], alive: ReadonlySet<number>): void {
    for (const report of reports) this.#together.take(report);
    this.#together.keepWorkers(alive);
  }

  keepOnly(names: ConfiguredNames): void {
    this.#together.keepOnly(names);
  }

  report(): MetricsReport {
    const nothing = reportsTogether([]);
    const [user = 0, system = 0] = this.#own.times.values;
    const own: MetricsReport = {
      ...nothing,
      counters: { ...nothing.counters, times: tableOf([{ labels: [], values: [user, system, 0] }]) },
      gauges: { ...nothing.gauges, memory: this.#own.memory },
    };
    return reportsTogether([this.#together.report(), own]);
  }
}
