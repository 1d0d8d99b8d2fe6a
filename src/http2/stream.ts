// One stream of a session, whichever side opened it (RFC 9113 section 5.1): what it may send and has queued, what it may
// receive and has not been taken on, and how it ends. Hot: it makes no object for a message that flows through at once.
import type { BufferPool } from '../core/buffer-pool.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { Allowances } from './allowances.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { DataPump, Pumped } from './data-pump.ts';
import { StreamFault } from './fault.ts';
import { ReceiveWindow } from './flow-window.ts';
import { FRAME_HEAD_BYTES } from './frame.ts';
import type { FrameWriter, PseudoFields } from './frame-writer.ts';
import {
  MAX_STREAM_WINDOW_BYTES,
  SHORT_DATA_BYTES,
  STREAM_QUEUE_BYTES,
  STREAM_WINDOW_BYTES,
  WINDOW_GROWTH_BYTES,
} from './limits.ts';
import type { SessionOutput } from './session-output.ts';

/** How a stream came to its end, as far as frames that come later are judged by it. */
export type Ending = 'ended' | 'reset-by-peer' | 'reset-by-us';

/** The session as its streams see it. */
export interface StreamHost {
  readonly output: SessionOutput;
  readonly writer: FrameWriter;
  readonly pump: DataPump;
  readonly buffers: BufferPool;
  readonly allowances: Allowances;
  /** Window of a new stream for what we send. */
  readonly sendWindow: number;
  /** By how much the windows of all streams have grown. */
  grownBytes: number;
  /** What peers may still send on streams that we have reset. */
  lateBytes: number;
  onStreamClosed(stream: Stream, how: Ending): void;
}

export abstract class Stream implements Pumped {
  /** 0 until it is opened. */
  streamId: number;
  sendWindow: number;
  urgency = 3;
  incremental = true;
  isReady = false;
  isHeld = false;
  /** Whether END_STREAM has come; nothing but RST_STREAM, WINDOW_UPDATE and PRIORITY may follow. */
  remoteEnded = false;
  /** Whether it is over on both sides, or reset. */
  closed = false;
  protected readonly host: StreamHost;
  /** Whether END_STREAM has been sent. */
  #localEnded = false;
  /** Whether the end has been given, and is sent when the queue is empty. */
  #ending = false;
  #trailers: HeaderList | null = null;
  #queue: ChunkQueue | null = null;
  #receiveWindow: ReceiveWindow | null = null;
  #grownBytes = 0;
  /** The last frame sent, which may still get END_STREAM while it is in the output. */
  #lastFrameAt = 0;
  #lastGeneration = -1;

  constructor(streamId: number, host: StreamHost) {
    this.streamId = streamId;
    this.host = host;
    this.sendWindow = host.sendWindow;
  }

  get localEnded(): boolean {
    return this.#localEnded;
  }

  /** Bytes given and not sent. */
  get queuedBytes(): number {
    return this.#queue === null ? 0 : this.#queue.bytes;
  }

  // Sending.

  protected sendHeaders(pseudo: PseudoFields, headers: HeaderList, length: number | null, ends = false): void {
    const { writer, output } = this.host;
    this.#lastFrameAt = writer.headers(this.streamId, pseudo, headers, length, ends);
    this.#lastGeneration = output.generation;
    if (ends) this.#endLocal();
  }

  /** Sends or queues content. Returns whether more is welcome; if not, onRoom follows. */
  protected sendData(chunk: Buffer): boolean {
    const { length } = chunk;
    if (this.closed || this.#ending || length === 0) return true;
    const { pump, writer, output, buffers, allowances } = this.host;
    const mayGoAtOnce = pump.idle && !output.blocked && length <= pump.window && length <= this.sendWindow;
    if (mayGoAtOnce && length <= writer.maxFrameBytes && this.queuedBytes === 0) {
      this.#lastFrameAt = writer.data(this.streamId, chunk, false);
      this.#lastGeneration = output.generation;
      this.sendWindow -= length;
      pump.window -= length;
      allowances.dataSent(length);
      buffers.giveBack(chunk);
      return true;
    }
    this.#queue ??= new ChunkQueue(buffers);
    this.#queue.push(chunk);
    pump.queuedBytes += length;
    if (this.sendWindow > 0) pump.add(this);
    if (this.closed || (!output.blocked && this.#hasRoom(STREAM_QUEUE_BYTES))) return true;
    pump.hold(this);
    return false;
  }

  /** Ends what is sent, after what is queued. */
  protected sendEnd(trailers: HeaderList | null): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    this.#trailers = trailers === null || trailers.size === 0 ? null : trailers;
    if (this.queuedBytes === 0) this.#finish();
  }

  /** Ends the stream on both sides, at once. */
  reset(errorCode: number): void {
    if (this.closed) return;
    this.host.writer.resetStream(this.streamId, errorCode);
    this.host.lateBytes += this.#receiveWindow === null ? STREAM_WINDOW_BYTES : this.#receiveWindow.left;
    this.host.allowances.resetSent();
    this.close('reset-by-us');
  }

  /** Window for what is sent. */
  enlargeSendWindow(bytes: number): void {
    this.sendWindow += bytes;
    if (this.sendWindow > 0 && this.queuedBytes > 0) this.host.pump.add(this);
  }

  pumpFrame(): boolean {
    const queue = this.#queue;
    const { pump, writer, output, allowances } = this.host;
    if (this.closed || queue === null) return false;
    const length = Math.min(this.sendWindow, pump.window, writer.maxFrameBytes, queue.bytes);
    if (length <= 0) return false;
    const ends = this.#ending && this.#trailers === null && length === queue.bytes;
    const isWhole = length >= SHORT_DATA_BYTES || length === queue.bytes;
    const at = writer.dataHead(this.streamId, length, ends);
    queue.moveTo(output.buffer, at + FRAME_HEAD_BYTES, length);
    output.advance(at + FRAME_HEAD_BYTES + length);
    this.#lastFrameAt = at;
    this.#lastGeneration = output.generation;
    this.sendWindow -= length;
    pump.window -= length;
    pump.queuedBytes -= length;
    if (isWhole) allowances.dataSent(length);
    this.onSent(length);
    if (ends) this.#endLocal();
    else if (this.#ending && queue.bytes === 0) this.#finish();
    return queue.bytes > 0 && this.sendWindow > 0;
  }

  offerRoom(): boolean {
    if (this.closed) return true;
    if (this.host.output.blocked || !this.#hasRoom(STREAM_QUEUE_BYTES / 2)) return false;
    this.onRoom();
    return true;
  }

  /** Those that stand still take what is to be shared: a stream that moves always has room for its next chunk. */
  #hasRoom(limitBytes: number): boolean {
    return this.queuedBytes === 0 || (this.queuedBytes < limitBytes && !this.host.pump.crowded);
  }

  #finish(): void {
    const { writer, output } = this.host;
    if (this.#trailers !== null) writer.headers(this.streamId, [], this.#trailers, null, true);
    else if (!output.endStreamAt(this.#lastFrameAt, this.#lastGeneration)) writer.data(this.streamId, NOTHING, true);
    this.#endLocal();
  }

  #endLocal(): void {
    this.#localEnded = true;
    this.#ending = true;
    if (this.remoteEnded) this.close('ended');
    else this.onLocalEnd();
  }

  // Receiving.

  /** A DATA frame of so many bytes in all comes. Throws StreamFault. */
  takeFlow(bytes: number): void {
    if (bytes === 0) return;
    this.#receiveWindow ??= new ReceiveWindow(STREAM_WINDOW_BYTES);
    if (!this.#receiveWindow.take(bytes)) throw new StreamFault('FLOW_CONTROL_ERROR', 'more content than its window');
  }

  /** So many bytes are not held here any more. `fast`: their taker did not have to be waited for. */
  returnFlow(bytes: number, fast: boolean): void {
    const window = this.#receiveWindow;
    if (window === null || this.remoteEnded || this.closed) return;
    let more = window.giveBack(bytes);
    if (more === 0) return;
    const { size } = window;
    if (fast && size < MAX_STREAM_WINDOW_BYTES && this.host.grownBytes + size <= WINDOW_GROWTH_BYTES) {
      this.host.grownBytes += size;
      this.#grownBytes += size;
      more += window.grow(size);
    }
    this.host.writer.windowUpdate(this.streamId, more);
  }

  /** Whether it has been answered, so that a reset is no trick to have work done for nothing. */
  abstract get answered(): boolean;
  /** Some content, buf[start, end), lent for the call. Throws StreamFault. */
  abstract onContent(buf: Buffer, start: number, end: number): void;
  /** END_STREAM with or after the content. */
  abstract onRemoteEnd(trailers: HeaderList | null): void;
  /** RST_STREAM has come. */
  abstract onPeerReset(errorCode: number): void;
  /** What it sent is wrong, or the connection is over. */
  abstract fail(error: Error): void;
  /** So much of the queue has been sent. */
  protected abstract onSent(bytes: number): void;
  /** There is room again after sendData said no. */
  protected abstract onRoom(): void;
  /** END_STREAM has been sent, and not come. */
  protected abstract onLocalEnd(): void;

  /** END_STREAM has come. */
  protected endRemote(): void {
    this.remoteEnded = true;
    if (this.#localEnded) this.close('ended');
  }

  /** It is over; releases everything. */
  close(how: Ending): void {
    if (this.closed) return;
    this.closed = true;
    const { pump } = this.host;
    pump.remove(this);
    if (this.#queue !== null) {
      pump.queuedBytes -= this.#queue.bytes;
      this.#queue.clear();
    }
    this.host.grownBytes -= this.#grownBytes;
    this.host.onStreamClosed(this, how);
  }
}

const NOTHING = Buffer.alloc(0);
