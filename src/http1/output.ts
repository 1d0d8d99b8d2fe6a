// What leaves on one socket: everything that one turn of the event loop produces goes out in one write. Small or lent content
// is copied at once and joined with the head before it; a large chunk is written as it is and then given back to the pool.
// Hot: no promise, no closure, one call of `write` for a head with its small content.
import type { Socket } from 'node:net';
import { type BufferPool, KEPT_BYTES } from '../core/buffer-pool.ts';
import type { Deferred, EndOfTurn } from '../core/end-of-turn.ts';
import { latin1, writeLatin1 } from '../core/latin1.ts';
import { BLOCKED_BYTES, FLUSH_BYTES } from '../core/output-limits.ts';

/** A chunk up to this size travels as text: cheaper than an object for its bytes. */
const TEXT_BYTES = 1024;

export interface OutputOptions {
  readonly turn: EndOfTurn;
  readonly buffers: BufferPool;
}

export class Output implements Deferred {
  /** Whether no more is wanted until `drained`. */
  blocked = false;
  readonly #socket: Socket;
  readonly #turn: EndOfTurn;
  readonly #buffers: BufferPool;
  /** Chunks that the socket is writing, in order. On destroy all come back, when the handle is closed and reads none. */
  readonly #writing: Buffer[] = [];
  readonly #onWritten = (): void => this.#buffers.giveBack(this.#writing.shift()!);
  /** What comes before `#text`. */
  #parts: Buffer[] = [];
  #text = '';
  #bytes = 0;
  #scheduled = false;

  constructor(socket: Socket, options: OutputOptions) {
    this.#socket = socket;
    this.#turn = options.turn;
    this.#buffers = options.buffers;
  }

  /** Queues latin1 text: heads, chunk sizes. */
  text(text: string): void {
    this.#text += text;
    this.#bytes += text.length;
  }

  /** Queues content; see `blocked` afterwards. From KEPT_BYTES on it takes ownership of what is not lent in the shared buffer. */
  chunk(chunk: Buffer): void {
    const { length } = chunk;
    if (length <= TEXT_BYTES) {
      this.#text += latin1(chunk, 0, length);
      this.#buffers.giveBack(chunk);
    } else {
      if (length < KEPT_BYTES || this.#buffers.isShared(chunk)) this.#joinText(chunk);
      else {
        this.#joinText(null);
        this.#parts.push(chunk);
      }
    }
    this.#bytes += length;
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
    const text = this.#text;
    if (parts.length > 0) this.#parts = [];
    this.#text = '';
    this.#bytes = 0;
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (parts.length === 0) {
      // `write` says no from fewer bytes on; asking for their number each time costs.
      this.blocked = !socket.write(text, 'latin1') && socket.writableLength >= BLOCKED_BYTES;
      return;
    }
    // Node copies what it writes together; a head alone costs less than a copy of the large chunk behind it.
    const isSeveral = parts.length > 2 || text !== '';
    if (isSeveral) socket.cork();
    for (const part of parts) {
      this.#writing.push(part);
      socket.write(part, this.#onWritten);
    }
    if (text !== '') socket.write(text, 'latin1');
    if (isSeveral) socket.uncork();
    this.blocked = socket.writableLength >= BLOCKED_BYTES;
  }

  /** The socket has emitted 'drain'. */
  drained(): void {
    this.blocked = false;
  }

  /** Makes one part of the text and a copy of the chunk. */
  #joinText(chunk: Buffer | null): void {
    const text = this.#text;
    const length = text.length + (chunk?.length ?? 0);
    if (length === 0) return;
    const whole = this.#buffers.room(length);
    const at = writeLatin1(whole, text, 0);
    if (chunk !== null) {
      whole.set(chunk, at);
      this.#buffers.giveBack(chunk);
    }
    this.#parts.push(whole);
    this.#text = '';
  }
}
