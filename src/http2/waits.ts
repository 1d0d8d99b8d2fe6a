// What a connection waits for, each with a deadline of its own, of which the earliest counts. Hot: a connection with one stream
// at a time begins and ends a wait with each request, so the earliest is looked for when somebody asks.

/** Both sides together; each uses those that it knows. */
export const WAITS = [
  'greeting',
  'block',
  'acknowledgement',
  'request',
  'reader',
  'grace',
  'linger',
  'silence',
] as const;
export type Wait = (typeof WAITS)[number];

export class Waits {
  readonly #at = new Float64Array(WAITS.length).fill(Number.POSITIVE_INFINITY);
  #earliest = Number.POSITIVE_INFINITY;
  #changed = false;

  /** The earliest deadline; Infinity without any. */
  get earliest(): number {
    if (this.#changed) {
      this.#changed = false;
      let earliest = Number.POSITIVE_INFINITY;
      for (const at of this.#at) if (at < earliest) earliest = at;
      this.#earliest = earliest;
    }
    return this.#earliest;
  }

  set(wait: Wait, at: number): void {
    this.#at[WAITS.indexOf(wait)] = at;
    this.#changed = true;
  }

  clear(wait: Wait): void {
    this.#at[WAITS.indexOf(wait)] = Number.POSITIVE_INFINITY;
    this.#changed = true;
  }

  clearAll(): void {
    this.#at.fill(Number.POSITIVE_INFINITY);
    this.#changed = true;
  }

  /** The one whose deadline is the earliest, which is taken out; null without any. */
  takeEarliest(): Wait | null {
    const { earliest } = this;
    if (earliest === Number.POSITIVE_INFINITY) return null;
    const wait = WAITS[this.#at.indexOf(earliest)]!;
    this.clear(wait);
    return wait;
  }
}
