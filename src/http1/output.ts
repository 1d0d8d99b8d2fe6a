// What leaves on one socket: everything that one turn of the event loop produces goes out in one write. It owns the chunks
// given to it, never copies a large one, and never allocates per field.
import type { Socket } from 'node:net';
import type { BufferPool } from '../core/buffer-pool.ts';
import type { Deferred, EndOfTurn } from '../core/end-of-turn.ts';
import { writeLatin1 } from '../core/latin1.ts';

/** Queued bytes that leave without waiting for `flush`. */
const FLUSH_BYTES = 64 * 1024;
/** Bytes handed to the socket and not taken by the system beyond which it wants no more; at least its high-water mark. */
const BLOCKED_BYTES = 128 * 1024;
/** Parts are joined into one buffer up to this size; beyond it they are written one by one under a cork. */
const JOIN_BYTES = 80 * 1024;
/** A smaller chunk is copied even when alone, so that it does not keep the whole buffer that it was read into. */
const KEEP_BYTES = 16 * 1024;

export interface OutputOptions {
  readonly turn: EndOfTurn;
  readonly buffers: BufferPool;
}

export class Output implements Deferred {
  readonly #socket: Socket;
  readonly #turn: EndOfTurn;
  readonly #buffers: BufferPool;
  /** Chunks that the socket is writing, in order. */
  readonly #writing: Buffer[] = [];
  readonly #onWritten = (): void => this.#buffers.giveBack(this.#writing.shift()!);
  #parts: (string | Buffer)[] = [];
  #bytes = 0;
  #scheduled = false;

  constructor(socket: Socket, options: OutputOptions) {
    this.#socket = socket;
    this.#turn = options.turn;
    this.#buffers = options.buffers;
  }

  /** Whether no more is wanted until the socket's 'drain'. */
  get blocked(): boolean {
    return this.#socket.writableLength >= BLOCKED_BYTES;
  }

  /** Queues latin1 text: heads, chunk sizes. */
  text(text: string): void {
    this.#parts.push(text);
    this.#bytes += text.length;
  }

  /** Queues content; see `blocked` afterwards. */
  chunk(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= FLUSH_BYTES) this.flush();
  }

  /** Writes what is queued, and what will be until then, at the end of this turn of the event loop. */
  flushLater(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turn.defer(this);
  }

  run(): void {
    this.#scheduled = false;
    this.flush();
  }

  /** Writes what is queued now. */
  flush(): void {
    if (this.#bytes === 0) return;
    const parts = this.#parts;
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (parts.length === 1 && (typeof parts[0] === 'string' || bytes >= KEEP_BYTES)) this.#write(parts[0]!);
    else if (bytes <= JOIN_BYTES) socket.write(this.#join(parts, bytes));
    else {
      socket.cork();
      for (const part of parts) this.#write(part);
      socket.uncork();
    }
  }

  #write(part: string | Buffer): void {
    if (typeof part === 'string') this.#socket.write(part, 'latin1');
    else {
      this.#writing.push(part);
      this.#socket.write(part, this.#onWritten);
    }
  }

  #join(parts: readonly (string | Buffer)[], bytes: number): Buffer {
    const whole = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const part of parts) {
      if (typeof part === 'string') at += writeLatin1(whole, part, at);
      else {
        whole.set(part, at);
        at += part.length;
        this.#buffers.giveBack(part);
      }
    }
    return whole;
  }
}
