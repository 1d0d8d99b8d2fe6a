// Buffers for large reads, used again once everything read into them has been written. Without it each piece of a transfer
// is new memory, which costs the allocator and the kernel more than the copying itself (1 MiB responses: 3 × the time).

/** Bytes of each buffer. */
export const BUFFER_BYTES = 64 * 1024;
/** From this size on a piece is handed on in the buffer it was read into; a smaller one is lent, and copied by whoever keeps it. */
export const KEPT_BYTES = 16 * 1024;
/** Copies from this size on are made in buffers that are used again; smaller ones would hold too much of such a buffer. */
export const CARVED_BYTES = 4 * 1024;
/** Unused buffers kept; more go to the garbage collector. */
const KEPT = 64;

/** A buffer that is read into and then handed on in pieces. */
interface Loan {
  readonly buffer: Buffer;
  /** Pieces handed on and not yet given back; below zero while pieces come back before all have been counted. */
  pieces: number;
}

export class BufferPool {
  /** What accepted sockets read into; its content is gone when the handling of a read has ended. */
  readonly shared: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #free: Buffer[] = [];
  /** What copies are being put into one after another, and where the next begins. */
  #slab: Buffer | null = null;
  #slabEnd = BUFFER_BYTES;
  readonly #loans = new WeakMap<ArrayBufferLike, Loan>();

  /** A buffer with any content. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Returns a buffer from `take` of which nothing has been handed on. */
  putBack(buffer: Buffer): void {
    if (this.#free.length < KEPT) this.#free.push(buffer);
  }

  /** Whether the content of `piece` is gone when the handling of its read has ended. */
  isShared(piece: Buffer): boolean {
    return piece.buffer === this.shared.buffer;
  }

  /** Room for a copy of so many bytes; to be given back when it has been written. */
  room(length: number): Buffer {
    return length < CARVED_BYTES || length > BUFFER_BYTES ? Buffer.allocUnsafe(length) : this.carve(length);
  }

  /** Room for at most BUFFER_BYTES bytes in a buffer that is used again; to be given back when it has been written. */
  carve(length: number): Buffer {
    let slab = this.#slab;
    if (slab === null || this.#slabEnd + length > BUFFER_BYTES) {
      if (slab !== null) this.#settle(slab, -1); // no more pieces of it
      slab = this.take();
      this.#loans.set(slab.buffer, { buffer: slab, pieces: 1 });
      this.#slab = slab;
      this.#slabEnd = 0;
    }
    const start = this.#slabEnd;
    this.#slabEnd = start + length;
    this.#settle(slab, 1);
    return slab.subarray(start, start + length);
  }

  /** `buffer`, from `take`, is about to be handed on in pieces. */
  lend(buffer: Buffer): void {
    this.#loans.set(buffer.buffer, { buffer, pieces: 0 });
  }

  /** All of it has been handed on, in so many pieces; it is free when as many have been given back. */
  count(buffer: Buffer, pieces: number): void {
    this.#settle(buffer, pieces);
  }

  /** Whoever has been handed `piece` does not need it any more. Pieces that never come back cost nothing but garbage. */
  giveBack(piece: Buffer): void {
    this.#settle(piece, -1);
  }

  #settle(piece: Buffer, change: number): void {
    const loan = this.#loans.get(piece.buffer);
    if (loan === undefined) return;
    loan.pieces += change;
    if (loan.pieces !== 0) return;
    this.#loans.delete(piece.buffer);
    this.putBack(loan.buffer);
  }
}
