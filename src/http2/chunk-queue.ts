// Content of one stream that waits for room: in windows, in the socket, or for its turn.
import { type BufferPool, CARVED_BYTES, KEPT_BYTES } from '../core/buffer-pool.ts';

export class ChunkQueue {
  bytes = 0;
  readonly #buffers: BufferPool;
  #chunks: Buffer[] = [];
  /** What the last one is the beginning of, if it is small, and how much of it is used. */
  #tail: Buffer | null = null;
  #tailBytes = 0;
  /** Where the first one begins. */
  #at = 0;

  constructor(buffers: BufferPool) {
    this.#buffers = buffers;
  }

  /** Keeps a chunk of KEPT_BYTES or more as it is, unless it is lent in the shared buffer; copies any other. */
  push(chunk: Buffer): void {
    const { length } = chunk;
    this.bytes += length;
    if (length >= KEPT_BYTES && !this.#buffers.isShared(chunk)) {
      this.#chunks.push(chunk);
      return;
    }
    if (length < CARVED_BYTES) this.#pushSmall(chunk);
    else {
      const copy = this.#buffers.carve(length);
      copy.set(chunk);
      this.#chunks.push(copy);
    }
    this.#buffers.giveBack(chunk);
  }

  /** Moves the first `bytes` to `to[at]`; there are as many. */
  moveTo(to: Buffer, at: number, bytes: number): void {
    let left = bytes;
    let target = at;
    while (left > 0) {
      const chunk = this.#chunks[0]!;
      const taken = Math.min(left, chunk.length - this.#at);
      chunk.copy(to, target, this.#at, this.#at + taken);
      target += taken;
      left -= taken;
      this.#at += taken;
      if (this.#at === chunk.length) this.#drop();
    }
    this.bytes -= bytes;
  }

  clear(): void {
    while (this.#chunks.length > 0) this.#drop();
    this.bytes = 0;
  }

  /** Small ones one behind another: what comes in tiny pieces takes no more room than its bytes do. */
  #pushSmall(chunk: Buffer): void {
    const last = this.#chunks.length - 1;
    const tail = this.#tail;
    if (
      tail !== null &&
      last >= 0 &&
      this.#isTail(this.#chunks[last]!) &&
      this.#tailBytes + chunk.length <= tail.length
    ) {
      tail.set(chunk, this.#tailBytes);
      this.#tailBytes += chunk.length;
      this.#chunks[last] = tail.subarray(0, this.#tailBytes);
      return;
    }
    this.#tail = Buffer.allocUnsafe(Math.min(CARVED_BYTES, Math.max(256, chunk.length * 2)));
    this.#tail.set(chunk);
    this.#tailBytes = chunk.length;
    this.#chunks.push(this.#tail.subarray(0, chunk.length));
  }

  #isTail(chunk: Buffer): boolean {
    return chunk.buffer === this.#tail!.buffer && chunk.byteOffset === this.#tail!.byteOffset;
  }

  #drop(): void {
    this.#buffers.giveBack(this.#chunks.shift()!);
    this.#at = 0;
  }
}
