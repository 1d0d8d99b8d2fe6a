// What leaves on one HTTP/2 connection: frames are written one behind another into one buffer, and all that a turn of the
// event loop produces goes out in one write. It knows frame heads and no streams.
import type { Socket } from 'node:net';
import { BUFFER_BYTES, type BufferPool, KEPT_BYTES } from '../core/buffer-pool.ts';
import type { ConnectionServices } from '../core/connection-services.ts';
import type { Deferred, EndOfTurn } from '../core/end-of-turn.ts';
import { BLOCKED_BYTES } from '../core/output-limits.ts';
import { END_STREAM, FRAME_HEAD_BYTES } from './frame.ts';
import { UNTAKEN_BYTES } from './limits.ts';

/** Has more to write when there is room. */
export interface OutputSource {
  /** Writes what may be written now. */
  fill(): void;
}

export class SessionOutput implements Deferred {
  /** Whether no more is wanted until `drained`. */
  blocked = false;
  /** Counts the flushes: a place in the buffer is good for as long as this does not change. */
  generation = 0;
  /** Where the next frame begins. */
  at = 0;
  readonly #socket: Socket;
  readonly #source: OutputSource;
  readonly #onBlocked: () => void;
  readonly #turn: EndOfTurn;
  readonly #buffers: BufferPool;
  #buffer: Buffer | null = null;
  #scheduled = false;
  readonly #writing: Buffer[] = [];
  readonly #onWritten = (): void => this.#buffers.giveBack(this.#writing.shift()!);

  /** `onBlocked`: called when `blocked` becomes true. */
  constructor(socket: Socket, source: OutputSource, onBlocked: () => void, services: ConnectionServices) {
    this.#socket = socket;
    this.#source = source;
    this.#onBlocked = onBlocked;
    this.#turn = services.turn;
    this.#buffers = services.buffers;
  }

  /** Whether so much has not been taken that it makes no sense to read what asks for more. */
  get untaken(): boolean {
    return this.blocked && this.#socket.writableLength >= UNTAKEN_BYTES;
  }

  /** What `reserve` returned last. */
  get buffer(): Buffer {
    return this.#buffer!;
  }

  /** The buffer, with room for at least `bytes` (at most BUFFER_BYTES) at `at`; `advance` afterwards. */
  reserve(bytes: number): Buffer {
    if (this.at + bytes > BUFFER_BYTES) this.flush();
    this.#buffer ??= this.#buffers.take();
    return this.#buffer;
  }

  /** Everything up to the offset `to` has been written. It leaves at the end of this turn. */
  advance(to: number): void {
    this.at = to;
    this.flushLater();
  }

  /** Writes the head of a frame whose payload follows, into what `reserve` returned. Returns where the payload begins. */
  head(buf: Buffer, at: number, length: number, type: number, flags: number, streamId: number): number {
    buf[at] = length >>> 16;
    buf[at + 1] = length >>> 8;
    buf[at + 2] = length;
    buf[at + 3] = type;
    buf[at + 4] = flags;
    buf[at + 5] = streamId >>> 24;
    buf[at + 6] = streamId >>> 16;
    buf[at + 7] = streamId >>> 8;
    buf[at + 8] = streamId;
    return at + FRAME_HEAD_BYTES;
  }

  /** Sets END_STREAM on the frame at `at`, if it has not left since `generation` (-1: it had left then). Whether it could. */
  endStreamAt(at: number, generation: number): boolean {
    if (at === -1 || generation !== this.generation || this.#buffer === null) return false;
    this.#buffer[at + 4]! |= END_STREAM;
    return true;
  }

  flushLater(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turn.defer(this);
  }

  run(): void {
    this.#scheduled = false;
    this.#source.fill();
    this.flush();
  }

  /** Writes what is there now. */
  flush(): void {
    const buffer = this.#buffer;
    const length = this.at;
    this.generation++;
    if (buffer === null) return;
    this.at = 0;
    this.#buffer = null;
    const socket = this.#socket;
    if (length === 0 || socket.destroyed || socket.writableEnded) {
      this.#buffers.putBack(buffer);
      return;
    }
    const piece = length < KEPT_BYTES ? this.#copied(buffer, length) : this.#lent(buffer, length);
    this.#writing.push(piece);
    const isWelcome = socket.write(piece, this.#onWritten); // `false` comes from fewer bytes on
    if (isWelcome || this.blocked || socket.writableLength < BLOCKED_BYTES) return;
    this.blocked = true;
    this.#onBlocked();
  }

  /** Out of the buffer, which would be too much for the socket to hold on to. */
  #copied(buffer: Buffer, length: number): Buffer {
    const piece = this.#buffers.room(length);
    buffer.copy(piece, 0, 0, length);
    this.#buffers.putBack(buffer);
    return piece;
  }

  #lent(buffer: Buffer, length: number): Buffer {
    this.#buffers.lend(buffer);
    this.#buffers.count(buffer, 1);
    return buffer.subarray(0, length);
  }

  /** The socket has emitted 'drain'. */
  drained(): void {
    this.blocked = false;
    this.flushLater();
  }
}
