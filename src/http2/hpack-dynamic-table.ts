// A dynamic table (RFC 7541 sections 2.3.2 and 4): a ring, the newest entry first, that drops the oldest ones when what they
// count for is more than its limit. An entry that alone is too large empties it.

export interface Sized {
  /** Bytes it counts for (RFC 7541 section 4.1): at least 32. */
  readonly size: number;
}

const FIRST_CAPACITY = 16;

export class DynamicTable<E extends Sized> {
  /** Entry number n, counted from the first one ever added, is at n modulo the ring's length: a power of two, or nothing yet. */
  #ring: (E | undefined)[] = [];
  #added = 0;
  #length = 0;
  #size = 0;
  #limit: number;

  /** Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of entries. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that the entries count for; never more than `limit`. */
  get size(): number {
    return this.#size;
  }

  get limit(): number {
    return this.#limit;
  }

  /** How many entries were ever added. */
  get added(): number {
    return this.#added;
  }

  /** Entries that are too much for the new limit go. */
  set limit(bytes: number) {
    this.#limit = bytes;
    this.#shrink(bytes);
  }

  /** `age`: how many entries were added after it; below `length`. */
  at(age: number): E {
    return this.#ring[(this.#added - 1 - age) & (this.#ring.length - 1)]!;
  }

  add(entry: E): void {
    this.#shrink(this.#limit - entry.size);
    if (entry.size > this.#limit) return;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#added & (this.#ring.length - 1)] = entry;
    this.#added++;
    this.#length++;
    this.#size += entry.size;
  }

  /** Called with each entry that has been dropped. */
  protected dropped(_entry: E): void {}

  #shrink(limit: number): void {
    while (this.#size > limit && this.#length > 0) {
      const place = (this.#added - this.#length) & (this.#ring.length - 1);
      const entry = this.#ring[place]!;
      this.#ring[place] = undefined;
      this.#length--;
      this.#size -= entry.size;
      this.dropped(entry);
    }
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, this.#ring.length * 2);
    const ring: (E | undefined)[] = new Array(capacity).fill(undefined);
    for (let age = this.#length - 1; age >= 0; age--) ring[(this.#added - 1 - age) & (capacity - 1)] = this.at(age);
    this.#ring = ring;
  }
}
