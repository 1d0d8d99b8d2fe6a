// Requests and errors of the last minutes in steps of five seconds: a ring of counters. Steps are numbers that only grow.

/** Length of a step. */
export const STEP_MS = 5_000;
/** How many are kept, that under way among them: five minutes. */
export const STEPS = 60;

export class StepRing {
  /** Requests and errors in turn, the steps at their number modulo STEPS. */
  readonly #counts = new Uint32Array(STEPS * 2);
  #last = 0;

  /** `step`: never before the one counted last. */
  count(step: number, isError: boolean): void {
    if (step !== this.#last) this.#advance(step);
    const at = (step % STEPS) * 2;
    this.#counts[at]!++;
    if (isError) this.#counts[at + 1]!++;
  }

  /** Up to `step`, oldest first: STEPS numbers each; null when all are 0. */
  read(step: number): { readonly requests: number[]; readonly errors: number[] } | null {
    if (step - this.#last >= STEPS) return null;
    if (step !== this.#last) this.#advance(step);
    if (this.#counts.every((count) => count === 0)) return null;
    const steps = Array.from({ length: STEPS }, (_, i) => ((step + 1 + i) % STEPS) * 2);
    return { requests: steps.map((at) => this.#counts[at]!), errors: steps.map((at) => this.#counts[at + 1]!) };
  }

  #advance(step: number): void {
    const from = Math.max(this.#last + 1, step - STEPS + 1);
    for (let each = from; each <= step; each++) this.#counts.fill(0, (each % STEPS) * 2, (each % STEPS) * 2 + 2);
    this.#last = step;
  }
}
