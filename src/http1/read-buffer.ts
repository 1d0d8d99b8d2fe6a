// What one upstream connection reads into (`onread`): one buffer used again and again. Small reads are copied out of it;
// a large one is handed on in it, and the next read gets another.
import type { BufferPool } from '../core/buffer-pool.ts';

/** Reads of at least this size are handed on in their own buffer instead of being copied. */
const HAND_OVER_BYTES = 16 * 1024;

export class ReadBuffer {
  readonly #pool: BufferPool;
  #buffer: Buffer;
  #isGiven = false;

  constructor(pool: BufferPool) {
    this.#pool = pool;
    this.#buffer = pool.take();
  }

  /** Where the next read goes. */
  next(): Buffer {
    if (this.#isGiven) this.#buffer = this.#pool.take();
    this.#isGiven = false;
    return this.#buffer;
  }

  /** The `bytes` just read, which now belong to the caller; lent by the pool when large. */
  take(bytes: number): Buffer {
    if (bytes < HAND_OVER_BYTES) return Buffer.from(this.#buffer.subarray(0, bytes));
    this.#isGiven = true;
    this.#pool.lend(this.#buffer);
    return this.#buffer.subarray(0, bytes);
  }
}
