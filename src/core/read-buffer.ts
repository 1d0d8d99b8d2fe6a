// What one upstream connection reads into (`onread`): one buffer used again and again. A small read is lent in it for as long
// as its handling takes; a large one is handed on in it, and the next read gets another.
import { type BufferPool, KEPT_BYTES } from './buffer-pool.ts';

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

  /** The `bytes` just read. Good until the next read; from KEPT_BYTES on for as long as anybody keeps pieces of it. */
  take(bytes: number): Buffer {
    if (bytes >= KEPT_BYTES) {
      this.#isGiven = true;
      this.#pool.lend(this.#buffer);
    }
    return this.#buffer.subarray(0, bytes);
  }
}
