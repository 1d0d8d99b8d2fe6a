// A map of at most so many entries: for a new one the least recently used goes.

export interface LruMapOptions<V> {
  /** Most entries; at least 1. */
  readonly capacity: number;
  /** Called with every value that leaves the map, however it leaves. */
  readonly onDrop: (value: V) => void;
}

export class LruMap<K, V> {
  readonly #options: LruMapOptions<V>;
  /** Least recently used first. */
  readonly #entries = new Map<K, V>();

  constructor(options: LruMapOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Counts as a use. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#options.capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.delete(oldest);
      break;
    }
  }

  /** Whether it was there. */
  delete(key: K): boolean {
    const value = this.#entries.get(key);
    if (value === undefined || !this.#entries.delete(key)) return false;
    this.#options.onDrop(value);
    return true;
  }
}
