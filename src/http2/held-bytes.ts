// Content that has come and is not wanted yet, in one growing buffer: what comes in tiny pieces takes no more room than its
// bytes do.

const FIRST_BYTES = 4 * 1024;
/** Most that is handed on at once. */
const PIECE_BYTES = 64 * 1024;

export class HeldBytes {
  #bytes: Buffer | null = null;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Keeps a copy of buf[start, end). */
  append(buf: Buffer, start: number, end: number): void {
    const bytes = this.#room(end - start);
    buf.copy(bytes, this.#end, start, end);
    this.#end += end - start;
  }

  /** The first of it, which is whoever's takes it; there is some. */
  take(): Buffer {
    const from = this.#start;
    this.#start = Math.min(this.#end, from + PIECE_BYTES);
    const piece = this.#bytes!.subarray(from, this.#start);
    if (this.#start === this.#end) this.clear();
    return piece;
  }

  clear(): void {
    this.#bytes = null;
    this.#start = 0;
    this.#end = 0;
  }

  /** What was handed on is never written over: it may be kept. */
  #room(bytes: number): Buffer {
    if (this.#bytes !== null && this.#end + bytes <= this.#bytes.length) return this.#bytes;
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, Math.ceil((this.length + bytes) * 1.5)));
    this.#bytes?.copy(grown, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#bytes = grown;
    return grown;
  }
}
