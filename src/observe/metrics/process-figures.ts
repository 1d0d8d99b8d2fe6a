// What a process tells of itself: processor time, memory, and how long its event loop keeps others waiting.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { monotonicMs } from '../../core/clock.ts';
import { type FigureTable, tableOf } from './figure-table.ts';

/** Half of it is the least delay that is noticed; each takes a look of the system's at the clock. */
const RESOLUTION_MS = 20;
/** The worst of so long at least is told: who asks often sees the same again, who asks seldom all since last time. */
const WINDOW_MS = 5_000;
const NS_PER_SECOND = 1e9;

/** As the label `quantile` has them. */
export const DELAY_QUANTILES: readonly string[] = ['0.5', '0.99', '1'];

export class ProcessFigures {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #delays: FigureTable = delayTable([0, 0, 0]);
  #since = 0;

  /** Begins to watch the event loop. Idempotent. */
  start(): void {
    if (this.#delay.enable()) this.#since = monotonicMs();
  }

  stop(): void {
    this.#delay.disable();
  }

  /** Seconds: of the processor in user and system mode, and those in which the event loop did not wait. */
  get times(): FigureTable {
    const { user, system } = process.cpuUsage();
    const { active } = performance.eventLoopUtilization();
    return tableOf([{ labels: [], values: [user / 1e6, system / 1e6, active / 1e3] }]);
  }

  /** Bytes: resident, heap used, outside of the heap. */
  get memory(): FigureTable {
    const { rss, heapUsed, external } = process.memoryUsage();
    return tableOf([{ labels: [], values: [rss, heapUsed, external] }]);
  }

  /** Seconds that something which was due had to wait, by DELAY_QUANTILES; of the last window. */
  get eventLoopDelays(): FigureTable {
    const now = monotonicMs();
    if (now - this.#since < WINDOW_MS && this.#delays.values.some((value) => value > 0)) return this.#delays;
    this.#since = now;
    // Node tells the time between two looks, which are RESOLUTION_MS apart when nothing is in the way.
    const over = (ns: number): number => Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / 1_000) || 0;
    const { max } = this.#delay;
    this.#delays = delayTable(
      this.#delay.count === 0
        ? [0, 0, 0]
        : [over(this.#delay.percentile(50)), over(this.#delay.percentile(99)), over(max)],
    );
    this.#delay.reset();
    return this.#delays;
  }
}

function delayTable(values: readonly number[]): FigureTable {
  return tableOf([{ labels: [], values }]);
}
