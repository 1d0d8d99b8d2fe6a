// Requests and errors of the last minutes in steps of five seconds: a ring of counters. Steps are numbers that only grow.

/** Length of a step. */
export const STEP_MS = 5_000;
/** How many are kept, that under way among them: five minutes. */
export const STEPS = 60;

export class StepRing {
  /** Requests and errors in turn, the steps at their number modulo STEPS. */
  readonly #counts = new Uint32Array(STEPS * 2);
  #last = 0;
  /** Of all steps together. */
  #requests = 0;
  #errors = 0;

  /** `step`: never before the one counted last. */
  count(step: number, isError: boolean): void {
    if (step !== this.#last) this.#advance(step);
    const at = (step % STEPS) * 2;
    this.#counts[at]!++;
    this.#requests++;
    if (!isError) return;
    this.#counts[at + 1]!++;
    this.#errors++;
  }

  /** All of them, up to `step`. */
  sums(step: number): { readonly requests: number; readonly errors: number } {
    if (step !== this.#last) this.#advance(step);
    return { requests: this.#requests, errors: this.#errors };
  }

  /** Up to `step`, oldest first: STEPS numbers each. */
  read(step: number): { readonly requests: number[]; readonly errors: number[] } {
    if (step !== this.#last) this.#advance(step);
    const steps = Array.from({ length: STEPS }, (_, i) => ((step + 1 + i) % STEPS) * 2);
    return { requests: steps.map((at) => this.#counts[at]!), errors: steps.map((at) => this.#counts[at + 1]!) };
  }

  #advance(step: number): void {
    const from = Math.max(this.#last + 1, step - STEPS + 1);
    this.#last = step;
    if (this.#requests === 0) return;
    for (let each = from; each <= step; each++) {
      const at = (each % STEPS) * 2;
      this.#requests -= this.#counts[at]!;
      this.#errors -= this.#counts[at + 1]!;
      this.#counts[at] = 0;
      this.#counts[at + 1] = 0;
    }
  }
}
