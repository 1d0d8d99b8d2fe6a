// A socket without a network, for property tests that make thousands of connections: bytes are handed in and out by the
// test, in its own order, and nothing happens by itself. It knows as much of net.Socket as the HTTP/2 sessions use.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { BufferPool } from '../../src/core/buffer-pool.ts';
import type { Deferred, EndOfTurn } from '../../src/core/end-of-turn.ts';

/** As Node's: 'drain' follows once that much was waiting. */
const HIGH_WATER_BYTES = 64 * 1024;

type Written = (error?: Error) => void;

export class MemorySocket extends EventEmitter {
  connecting = false;
  destroyed = false;
  writableEnded = false;
  writableLength = 0;
  readonly readableLength = 0;
  /** Whether what is written is taken at once. */
  takes = true;
  readonly #writes: { readonly chunk: Buffer; readonly written: Written | undefined }[] = [];
  readonly #taken: Buffer[] = [];
  #needsDrain = false;
  #isFinished = false;
  #isPaused = false;

  /** For the session under test. */
  get socket(): Socket {
    return this as unknown as Socket;
  }

  write(chunk: Buffer, written?: Written): boolean {
    if (this.destroyed || this.writableEnded) throw new Error('written to what is over');
    this.#writes.push({ chunk, written });
    this.writableLength += chunk.length;
    this.#needsDrain ||= this.writableLength >= HIGH_WATER_BYTES;
    return !this.#needsDrain;
  }

  end(): void {
    this.writableEnded = true;
  }

  destroySoon(): void {
    this.end();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    for (const { written } of this.#writes.splice(0)) written?.(new Error('destroyed'));
    this.emit('close');
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  /** What the other side sends, in the shared buffer, of which nobody may keep anything. */
  feed(bytes: Buffer, { shared }: BufferPool, read?: (bytes: number) => void): void {
    for (let at = 0; at < bytes.length && !this.destroyed; at += shared.length) {
      const chunk = shared.subarray(0, bytes.copy(shared, 0, at));
      if (read === undefined) this.emit('data', chunk);
      else read(chunk.length);
      chunk.fill(0xaa);
    }
  }

  /** Takes what has been written. Whether there was anything, or an end. */
  take(): boolean {
    if (!this.takes || this.destroyed) return false;
    const writes = this.#writes.splice(0);
    for (const { chunk, written } of writes) {
      this.#taken.push(Buffer.from(chunk));
      this.writableLength -= chunk.length;
      chunk.fill(0xbb); // written, so nobody may read it again
      written?.();
    }
    if (this.#needsDrain && this.writableLength === 0) {
      this.#needsDrain = false;
      if (!this.writableEnded) this.emit('drain');
    }
    const finishes = this.writableEnded && !this.#isFinished;
    if (finishes) {
      this.#isFinished = true;
      this.emit('finish');
    }
    return writes.length > 0 || finishes;
  }

  /** All that was taken since this was last asked. */
  get output(): Buffer {
    return Buffer.concat(this.#taken.splice(0));
  }
}

/** The end of a turn comes when the test says so. */
export class ManualTurn {
  #waiting: Deferred[] = [];

  /** For the sessions under test. */
  get turn(): EndOfTurn {
    return this as unknown as EndOfTurn;
  }

  defer(work: Deferred): void {
    this.#waiting.push(work);
  }

  /** Whether there was anything to do. */
  run(): boolean {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const work of waiting) work.run();
    return waiting.length > 0;
  }
}
