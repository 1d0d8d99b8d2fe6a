// Pages of metrics put together, of one worker or of several.
import { FigureSums } from './figure-sums.ts';
import {
  COUNTERS,
  GAUGES,
  type MetricsCounters,
  type MetricsGauges,
  type MetricsReport,
  tablesBy,
} from './metrics-report.ts';

/** Whether the configuration in force still names it. */
export interface ConfiguredNames {
  hasRoute(site: string, route: string): boolean;
  hasTarget(name: string): boolean;
}

export class MetricsSums {
  readonly counters: MetricsCounters<FigureSums> = tablesBy(COUNTERS, () => new FigureSums());
  readonly gauges: MetricsGauges<FigureSums> = tablesBy(GAUGES, () => new FigureSums());
  readonly eventLoopDelays = new FigureSums();

  add(page: MetricsReport): void {
    this.addCounters(page.counters);
    for (const name of GAUGES) this.gauges[name].add(page.gauges[name]);
    this.eventLoopDelays.addLargest(page.eventLoopDelays);
  }

  addCounters(counters: MetricsCounters): void {
    for (const name of COUNTERS) this.counters[name].add(counters[name]);
  }

  addCountersOf({ counters }: MetricsSums): void {
    for (const name of COUNTERS) this.counters[name].addAll(counters[name]);
  }

  /** Forgets what is no longer configured, so that names do not pile up over many configurations. */
  keepOnly(names: ConfiguredNames): void {
    const { routes, targets, targetFailures } = this.counters;
    routes.keep(([site, route]) => names.hasRoute(site!, route!));
    for (const sums of [targets, targetFailures]) sums.keep(([target]) => names.hasTarget(target!));
  }
}
