// Cuts the bytes of a connection into frames (RFC 9113 section 4). Frames are read where they lie; only one that comes in
// pieces is put together first, and DATA never is: its content is handed on as it comes, padding counted and dropped.
import { ConnectionFault } from './fault.ts';
import { DATA, DEFAULT_FRAME_BYTES, FRAME_HEAD_BYTES, PADDED } from './frame.ts';

export interface FrameConsumer {
  /** A whole frame that is not DATA; its payload is buf[start, end), lent for the call. */
  onFrame(type: number, flags: number, streamId: number, buf: Buffer, start: number, end: number): void;
  /** A DATA frame begins; `length`: bytes of its payload, padding included. */
  onDataHead(flags: number, streamId: number, length: number): void;
  /** Some content of it, buf[start, end), lent for the call; never empty. */
  onDataPiece(buf: Buffer, start: number, end: number): void;
  /** It is complete. */
  onDataEnd(): void;
}

export class FrameReader {
  readonly #consumer: FrameConsumer;
  /** A frame of which only a part has come. */
  #partial: Buffer | null = null;
  #partialBytes = 0;
  #inData = false;
  /** The next byte says how long the padding is. */
  #wantsPadLength = false;
  /** Bytes of the current DATA frame that are left: of its content, and of its padding. */
  #contentLeft = 0;
  #paddingLeft = 0;
  #stopped = false;

  constructor(consumer: FrameConsumer) {
    this.#consumer = consumer;
  }

  /** Whether a part of a frame that is not DATA has come. */
  get started(): boolean {
    return this.#partialBytes > 0;
  }

  /** Reads no more: the connection is over. */
  stop(): void {
    this.#stopped = true;
    this.#partial = null;
  }

  /** Uses up buf[start…]. Throws ConnectionFault, and what the consumer throws. */
  read(buf: Buffer, start: number): void {
    const end = buf.length;
    let at = start;
    while (at < end && !this.#stopped) {
      if (this.#inData) at = this.#readData(buf, at, end);
      else if (this.#partialBytes > 0) at = this.#gather(buf, at, end);
      else {
        const next = this.#readFrame(buf, at, end);
        if (next === -1) {
          this.#keep(buf, at, end);
          return;
        }
        at = next;
      }
    }
  }

  /** The frame at `at`, up to its end, or up to the content of DATA; -1 when it is not complete. */
  #readFrame(buf: Buffer, at: number, end: number): number {
    const payload = at + FRAME_HEAD_BYTES;
    if (payload > end) return -1;
    const length = (buf[at]! << 16) | (buf[at + 1]! << 8) | buf[at + 2]!;
    if (length > DEFAULT_FRAME_BYTES) throw new ConnectionFault('FRAME_SIZE_ERROR', `a frame of ${length} bytes`);
    const type = buf[at + 3]!;
    const flags = buf[at + 4]!;
    const streamId = ((buf[at + 5]! & 0x7f) << 24) | (buf[at + 6]! << 16) | (buf[at + 7]! << 8) | buf[at + 8]!;
    if (type === DATA) {
      this.#beginData(flags, streamId, length);
      return payload;
    }
    if (payload + length > end) return -1;
    this.#consumer.onFrame(type, flags, streamId, buf, payload, payload + length);
    return payload + length;
  }

  #beginData(flags: number, streamId: number, length: number): void {
    this.#inData = true;
    this.#wantsPadLength = (flags & PADDED) !== 0;
    if (this.#wantsPadLength && length === 0) throw new ConnectionFault('FRAME_SIZE_ERROR', 'padding without a length');
    this.#contentLeft = length;
    this.#paddingLeft = 0;
    this.#consumer.onDataHead(flags, streamId, length);
    if (length === 0) this.#endData();
  }

  #readData(buf: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#wantsPadLength) {
      this.#wantsPadLength = false;
      this.#paddingLeft = buf[at++]!;
      this.#contentLeft -= 1 + this.#paddingLeft;
      if (this.#contentLeft < 0) throw new ConnectionFault('PROTOCOL_ERROR', 'more padding than payload');
    }
    const content = Math.min(this.#contentLeft, end - at);
    if (content > 0) {
      this.#contentLeft -= content;
      at += content;
      this.#consumer.onDataPiece(buf, at - content, at);
    }
    if (this.#contentLeft === 0) {
      const padding = Math.min(this.#paddingLeft, end - at);
      this.#paddingLeft -= padding;
      at += padding;
      if (this.#paddingLeft === 0) this.#endData();
    }
    return at;
  }

  #endData(): void {
    this.#inData = false;
    this.#consumer.onDataEnd();
  }

  /** Adds to the partial frame what it lacks, of its head or of the rest; reads it when it is whole. */
  #gather(buf: Buffer, at: number, end: number): number {
    const partial = this.#partial!;
    const has = this.#partialBytes;
    const wanted = has < FRAME_HEAD_BYTES ? FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + lengthOf(partial);
    const taken = Math.min(wanted - has, end - at);
    this.#room(has + taken).set(buf.subarray(at, at + taken), has);
    this.#partialBytes = has + taken;
    if (this.#partialBytes === wanted) {
      this.#partialBytes = 0;
      if (this.#readFrame(this.#partial!, 0, wanted) === -1) this.#partialBytes = wanted;
      else this.#partial = null;
    }
    return at + taken;
  }

  #keep(buf: Buffer, at: number, end: number): void {
    this.#room(end - at).set(buf.subarray(at, end));
    this.#partialBytes = end - at;
  }

  #room(bytes: number): Buffer {
    const partial = this.#partial;
    if (partial !== null && partial.length >= bytes) return partial;
    const grown = Buffer.allocUnsafe(Math.max(64, bytes * 2));
    partial?.copy(grown, 0, 0, this.#partialBytes);
    this.#partial = grown;
    return grown;
  }
}

function lengthOf(head: Buffer): number {
  return (head[0]! << 16) | (head[1]! << 8) | head[2]!;
}
