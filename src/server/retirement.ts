// What a new configuration has no more, and what of it goes on for a while: tunnels and other exchanges of sites and targets
// that are gone. Each has its time to end by itself and is cut then.

/** Something with exchanges under way. */
export interface Retiring {
  readonly busy: boolean;
  /** Ends what is still under way. */
  destroy(): void;
}

export class Retirement {
  readonly #timers = new Map<Retiring, NodeJS.Timeout>();
  #isOver = false;

  /** How many still have their time, for leak checks. */
  get size(): number {
    return this.#timers.size;
  }

  /** It ends in `graceMs` at the latest; now, if nothing is under way, or `destroy` has been called. */
  add(retiring: Retiring, graceMs: number): void {
    if (this.#isOver || !retiring.busy) {
      retiring.destroy();
      return;
    }
    const end = (): void => {
      this.#timers.delete(retiring);
      retiring.destroy();
    };
    this.#timers.set(retiring, setTimeout(end, graceMs).unref());
  }

  /** Ends all of them. */
  destroy(): void {
    this.#isOver = true;
    for (const [retiring, timer] of this.#timers) {
      clearTimeout(timer);
      retiring.destroy();
    }
    this.#timers.clear();
  }
}
