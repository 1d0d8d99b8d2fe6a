// Gathers a head that arrives in pieces and parses it when it may be complete, so that dribbled bytes cost linear time.
// The usual head, whole in one chunk, is parsed where it lies.
import type { HeadLimits } from './limits.ts';

type Parse<T> = (buf: Buffer, start: number, end: number, limits: HeadLimits) => T | null;

export class HeadReader<T extends { readonly end: number }> {
  readonly #parse: Parse<T>;
  readonly #limits: HeadLimits;
  /** Bytes of an incomplete head; grows by doubling, up to the limit plus one chunk. */
  #partial: Buffer | null = null;
  #length = 0;
  /** Where the head ended in the `buf` given to the `read` that returned it. */
  endAt = 0;

  constructor(parse: Parse<T>, limits: HeadLimits) {
    this.#parse = parse;
    this.#limits = limits;
  }

  /** Whether part of a head has been received. */
  get started(): boolean {
    return this.#partial !== null;
  }

  /** Takes buf[start, end); returns the head once complete. Never keeps a reference to `buf`. Throws the parser's error. */
  read(buf: Buffer, start: number, end: number): T | null {
    if (this.#partial === null) {
      const head = this.#parse(buf, start, end, this.#limits);
      if (head === null) this.#append(buf, start, end);
      else this.endAt = head.end;
      return head;
    }
    const known = this.#length;
    const whole = this.#append(buf, start, end);
    if (!this.#mayBeDecided(whole, known)) return null;
    const head = this.#parse(whole, 0, whole.length, this.#limits);
    if (head === null) return null;
    this.#partial = null;
    this.#length = 0;
    this.endAt = start + head.end - known;
    return head;
  }

  /** Adds buf[start, end) to the partial head and returns all of it. */
  #append(buf: Buffer, start: number, end: number): Buffer {
    const length = this.#length + end - start;
    let store = this.#partial;
    if (store === null || length > store.length) {
      const grown = Buffer.allocUnsafe(Math.max(1024, length * 2));
      if (store !== null) store.copy(grown, 0, 0, this.#length);
      store = grown;
    }
    buf.copy(store, this.#length, start, end);
    this.#partial = store;
    this.#length = length;
    return store.subarray(0, length);
  }

  /**
   * Whether parsing may have a result now: the bytes from `known` on hold the end of a head or a line end that is not
   * CRLF (which can only be refused), or a limit has just been passed.
   */
  #mayBeDecided(buf: Buffer, known: number): boolean {
    const { startLineBytes, headBytes } = this.#limits;
    if (buf.length >= headBytes || (known <= startLineBytes && buf.length > startLineBytes)) return true;
    for (let i = buf.indexOf(10, known); i !== -1; i = buf.indexOf(10, i + 1)) {
      if (i === 1 || buf[i - 1] !== 13 || (buf[i - 2] === 10 && buf[i - 3] === 13)) return true;
    }
    return false;
  }
}
