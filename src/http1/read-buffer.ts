// What one upstream connection reads into (`onread`): one buffer used again and again. Small reads are copied out of it;
// a large one is handed on in it, and the next read gets a new one.

const READ_BUFFER_BYTES = 64 * 1024;
/** Reads of at least this size are handed on in their own buffer instead of being copied. */
const HAND_OVER_BYTES = 16 * 1024;

export class ReadBuffer {
  #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #isGiven = false;

  /** Where the next read goes. */
  next(): Buffer {
    if (this.#isGiven) this.#buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    this.#isGiven = false;
    return this.#buffer;
  }

  /** The `bytes` just read, which now belong to the caller. */
  take(bytes: number): Buffer {
    if (bytes < HAND_OVER_BYTES) return Buffer.from(this.#buffer.subarray(0, bytes));
    this.#isGiven = true;
    return this.#buffer.subarray(0, bytes);
  }
}
