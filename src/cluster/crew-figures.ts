// The figures of a crew of processes: those of its workers, whoever has ended meanwhile, and what the primary itself takes of the
// machine. Asked page by page, so that nobody is held up.
import { tableOf } from '../observe/metrics/figure-table.ts';
import type { MetricsReport } from '../observe/metrics/metrics-report.ts';
import type { ConfiguredNames, MetricsSums } from '../observe/metrics/metrics-sums.ts';
import { MetricsTogether } from '../observe/metrics/metrics-together.ts';
import { ProcessFigures } from '../observe/metrics/process-figures.ts';
import type { WorkerChild } from './worker-child.ts';

const PAGE_WITHIN_MS = 2_000;

export class CrewFigures {
  readonly #together = new MetricsTogether();
  readonly #own = new ProcessFigures();
  #collecting: Promise<number> | null = null;

  /** Asks workers for what they have counted; resolves with how many have answered. Never rejects. */
  collect(workers: readonly WorkerChild[]): Promise<number> {
    this.#collecting ??= this.#collect(workers).finally(() => {
      this.#collecting = null;
    });
    return this.#collecting;
  }

  leave(worker: WorkerChild): void {
    this.#together.leave(worker);
  }

  keepOnly(names: ConfiguredNames): void {
    this.#together.keepOnly(names);
  }

  async sums(): Promise<MetricsSums> {
    const sums = await this.#together.sums();
    const [user = 0, system = 0] = this.#own.times.values;
    sums.counters.times.add(tableOf([{ labels: [], values: [user, system, 0] }]));
    sums.gauges.memory.add(this.#own.memory);
    return sums;
  }

  async #collect(workers: readonly WorkerChild[]): Promise<number> {
    const answers = await Promise.allSettled(workers.map((worker) => this.#ask(worker)));
    return answers.filter(({ status }) => status === 'fulfilled').length;
  }

  /** Rejects when it does not answer in time; what it has told before stays. */
  async #ask(worker: WorkerChild): Promise<void> {
    const pages: MetricsReport[] = [];
    for (let page = await pageOf(worker, 'first'); page !== null; page = await pageOf(worker, 'next')) pages.push(page);
    this.#together.take(worker, pages);
  }
}

async function pageOf({ channel }: WorkerChild, at: 'first' | 'next'): Promise<MetricsReport | null> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('it does not answer')), PAGE_WITHIN_MS);
  try {
    return await Promise.race([channel.call('metrics', at), late]);
  } finally {
    clearTimeout(timer);
  }
}
