// What a connection waits for, each with a deadline of its own, of which the earliest counts.

/** Both sides together; each uses those that it knows. */
export const WAITS = ['greeting', 'block', 'acknowledgement', 'request', 'reader', 'grace', 'linger'] as const;
export type Wait = (typeof WAITS)[number];

export class Waits {
  /** The earliest deadline; Infinity without any. */
  earliest = Number.POSITIVE_INFINITY;
  readonly #at = new Float64Array(WAITS.length).fill(Number.POSITIVE_INFINITY);

  set(wait: Wait, at: number): void {
    this.#at[WAITS.indexOf(wait)] = at;
    this.#findEarliest();
  }

  clear(wait: Wait): void {
    const place = WAITS.indexOf(wait);
    if (this.#at[place] === Number.POSITIVE_INFINITY) return;
    this.#at[place] = Number.POSITIVE_INFINITY;
    this.#findEarliest();
  }

  clearAll(): void {
    this.#at.fill(Number.POSITIVE_INFINITY);
    this.earliest = Number.POSITIVE_INFINITY;
  }

  /** The one whose deadline is the earliest, which is taken out; null without any. */
  takeEarliest(): Wait | null {
    const place = this.#at.indexOf(this.earliest);
    if (this.earliest === Number.POSITIVE_INFINITY || place === -1) return null;
    this.clear(WAITS[place]!);
    return WAITS[place]!;
  }

  #findEarliest(): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const at of this.#at) if (at < earliest) earliest = at;
    this.earliest = earliest;
  }
}
