// A map that forgets what has not been used for long, at the same small cost however fast strangers fill it. (Taking the
// oldest entry out of a large Map, as LruMap does, costs V8 a walk over those that were taken out before: 40 µs with 10,000.)

export class GenerationMap<K, V> {
  readonly #capacity: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** Remembers the last `capacity` entries used and at most twice as many. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many entries are in memory; one that was set twice may count twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Counts as a use. */
  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#capacity) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
