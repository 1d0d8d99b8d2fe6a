// What is counted of one upstream target. Attempts are counted per request: an addition; the rest per connection or failure.
import { CONNECT_TIMES, observe } from './buckets.ts';
import type { FigureRow } from './figure-table.ts';

export class TargetFigures {
  /** Requests that it was tried for. */
  attempts = 0;
  readonly #connects = new Float64Array(CONNECT_TIMES.width);
  /** By code of the error: there are about ten. */
  readonly #failures = new Map<string, number>();

  /** A connection is up; `ms` after it was begun, TLS included. */
  connected(ms: number): void {
    observe(this.#connects, 0, CONNECT_TIMES, ms);
  }

  /** An attempt came to nothing, or its response broke off. `reason`: the code of the error, from upstream/. */
  failed(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  /** Attempts, then the times to connect. */
  row(name: string): FigureRow {
    return { labels: [name], values: [this.attempts, ...this.#connects] };
  }

  *failureRows(name: string): Generator<FigureRow> {
    for (const [reason, count] of this.#failures) yield { labels: [name, reason], values: [count] };
  }
}
