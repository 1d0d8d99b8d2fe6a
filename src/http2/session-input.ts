// Reads what each frame of a connection says and checks it (RFC 9113 sections 5.1 and 6): the wrong stream, the wrong size,
// the wrong moment. What it finds in order it tells the session.
import { latin1 } from '../core/latin1.ts';
import { ConnectionFault, StreamFault } from './fault.ts';
import * as frame from './frame.ts';
import type { FrameConsumer } from './frame-reader.ts';
import { HeaderBlock } from './header-block.ts';
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';

export class SessionInput<S extends Stream> implements FrameConsumer {
  readonly #session: Session<S>;
  /** Whether the peer's SETTINGS have come, which must be first. */
  #greeted = false;
  /** What is being put together; nothing else may come in between. */
  #block: HeaderBlock | null = null;
  /** The current DATA frame: its stream if that takes it, its payload, content so far, and whether it ends the stream. */
  #dataStream: S | null = null;
  #dataId = 0;
  #dataBytes = 0;
  #dataContent = 0;
  #dataEnds = false;

  /** Frames so far; those of one header block count as one. */
  messages = 0;

  /** Whether the rest of a header block is awaited. */
  get inBlock(): boolean {
    return this.#block !== null;
  }

  get greeted(): boolean {
    return this.#greeted;
  }

  constructor(session: Session<S>) {
    this.#session = session;
  }

  onFrame(type: number, flags: number, streamId: number, buf: Buffer, start: number, end: number): void {
    if (this.#block !== null && (type !== frame.CONTINUATION || streamId !== this.#block.streamId))
      throw protocol('a frame in the middle of a header block');
    if (!this.#greeted && type !== frame.SETTINGS) throw protocol('the first frame is not SETTINGS');
    if (this.#block === null) this.messages++;
    try {
      this.#dispatch(type, flags, streamId, buf, start, end);
    } catch (error) {
      if (!(error instanceof StreamFault)) throw error;
      this.#session.onStreamFault(streamId, error);
    }
  }

  #dispatch(type: number, flags: number, streamId: number, buf: Buffer, start: number, end: number): void {
    switch (type) {
      case frame.HEADERS:
        this.#onHeaders(flags, streamId, buf, start, end);
        break;
      case frame.CONTINUATION:
        this.#onContinuation(flags, buf, start, end);
        break;
      case frame.WINDOW_UPDATE:
        this.#onWindowUpdate(streamId, buf, start, end);
        break;
      case frame.RST_STREAM:
        this.#onReset(streamId, buf, start, end);
        break;
      case frame.SETTINGS:
        this.#onSettings(flags, streamId, buf, start, end);
        break;
      case frame.PING:
        this.#onPing(flags, streamId, buf, start, end);
        break;
      case frame.PRIORITY:
        this.#onPriority(streamId, buf, start, end);
        break;
      case frame.GOAWAY:
        this.#onGoaway(streamId, buf, start, end);
        break;
      case frame.PUSH_PROMISE:
        throw protocol('PUSH_PROMISE');
      case frame.PRIORITY_UPDATE:
        this.#onPriorityUpdate(streamId, buf, start, end);
        break;
      default:
        this.#session.allowances.controlFrame(); // RFC 9113 section 5.5: ignored
    }
  }

  // DATA.

  onDataHead(flags: number, streamId: number, length: number): void {
    if (this.#block !== null) throw protocol('a frame in the middle of a header block');
    if (!this.#greeted) throw protocol('the first frame is not SETTINGS');
    if (streamId === 0) throw protocol('DATA on stream 0');
    const session = this.#session;
    session.takeFlow(length);
    this.#dataId = streamId;
    this.#dataBytes = length;
    this.#dataContent = 0;
    this.#dataEnds = (flags & frame.END_STREAM) !== 0;
    this.#dataStream = null;
    try {
      const stream = session.streams.get(streamId);
      if (stream === undefined) this.#passOver(streamId, length);
      else {
        if (stream.remoteEnded) throw new StreamFault('STREAM_CLOSED', 'DATA after END_STREAM');
        stream.takeFlow(length);
        this.#dataStream = stream;
      }
    } catch (error) {
      this.#onDataFault(error);
    }
  }

  onDataPiece(buf: Buffer, start: number, end: number): void {
    this.#dataContent += end - start;
    const stream = this.#dataStream;
    if (stream === null || stream.closed) return;
    try {
      stream.onContent(buf, start, end);
    } catch (error) {
      this.#onDataFault(error);
    }
  }

  onDataEnd(): void {
    if (this.#dataContent === 0 && !this.#dataEnds) this.#session.allowances.emptyFrame();
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream === null || stream.closed) return;
    try {
      const padding = this.#dataBytes - this.#dataContent;
      if (padding > 0) stream.returnFlow(padding, false);
      if (this.#dataEnds) stream.onRemoteEnd(null);
    } catch (error) {
      this.#onDataFault(error);
    }
  }

  #onDataFault(error: unknown): void {
    this.#dataStream = null;
    if (!(error instanceof StreamFault)) throw error;
    this.#session.onStreamFault(this.#dataId, error);
  }

  // The others.

  #onHeaders(flags: number, streamId: number, buf: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocol('HEADERS on stream 0');
    let from = start;
    let to = end;
    if (flags & frame.PADDED) {
      if (from === to) throw new ConnectionFault('FRAME_SIZE_ERROR', 'padding without a length');
      to -= buf[from++]!;
    }
    let selfDependent = false;
    if (flags & frame.WITH_PRIORITY) {
      if (to - from < 5)
        throw new ConnectionFault(from + 5 > end ? 'FRAME_SIZE_ERROR' : 'PROTOCOL_ERROR', 'a cut off priority');
      selfDependent = (buf.readUInt32BE(from) & 0x7fff_ffff) === streamId;
      from += 5;
    }
    if (to < from) throw protocol('more padding than payload');
    const ends = (flags & frame.END_STREAM) !== 0;
    if (flags & frame.END_HEADERS) this.#session.onBlock(streamId, buf, from, to, ends, selfDependent);
    else {
      this.#block = new HeaderBlock(streamId, ends, selfDependent);
      this.#block.append(buf, from, to);
    }
  }

  #onContinuation(flags: number, buf: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === null) throw protocol('CONTINUATION without HEADERS');
    block.append(buf, start, end);
    if ((flags & frame.END_HEADERS) === 0) return;
    this.#block = null;
    const whole = block.whole;
    this.#session.onBlock(block.streamId, whole, 0, whole.length, block.ends, block.selfDependent);
  }

  #onReset(streamId: number, buf: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionFault('FRAME_SIZE_ERROR', 'RST_STREAM');
    if (streamId === 0) throw protocol('RST_STREAM on stream 0');
    const session = this.#session;
    const stream = session.streams.get(streamId);
    if (stream === undefined) {
      this.#judgeClosed(streamId, 'control');
      session.allowances.controlFrame();
      return;
    }
    if (!stream.answered) session.allowances.reset();
    stream.onPeerReset(buf.readUInt32BE(start));
  }

  #onWindowUpdate(streamId: number, buf: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionFault('FRAME_SIZE_ERROR', 'WINDOW_UPDATE');
    const bytes = buf.readUInt32BE(start) & 0x7fff_ffff;
    const session = this.#session;
    session.allowances.windowUpdate();
    if (streamId === 0) {
      if (bytes === 0) throw protocol('WINDOW_UPDATE by 0');
      session.onWindowUpdate(bytes);
      return;
    }
    const stream = session.streams.get(streamId);
    if (stream === undefined) {
      this.#judgeClosed(streamId, 'control');
      return;
    }
    if (bytes === 0) throw new StreamFault('PROTOCOL_ERROR', 'WINDOW_UPDATE by 0');
    if (stream.sendWindow + bytes > frame.MAX_WINDOW_BYTES)
      throw new StreamFault('FLOW_CONTROL_ERROR', 'its window is too large');
    stream.enlargeSendWindow(bytes);
  }

  #onSettings(flags: number, streamId: number, buf: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('SETTINGS on a stream');
    const session = this.#session;
    if (flags & frame.ACK) {
      if (end !== start) throw new ConnectionFault('FRAME_SIZE_ERROR', 'SETTINGS acknowledged with a payload');
      if (!this.#greeted) throw protocol('the first frame is not SETTINGS');
      session.allowances.controlFrame();
      session.role.onSettingsAcknowledged();
      return;
    }
    if (this.#greeted) session.allowances.controlFrame();
    this.#greeted = true;
    session.onSettings(buf, start, end);
  }

  #onPing(flags: number, streamId: number, buf: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('PING on a stream');
    if (end - start !== 8) throw new ConnectionFault('FRAME_SIZE_ERROR', 'PING');
    const session = this.#session;
    session.allowances.controlFrame();
    if (flags & frame.ACK) session.role.onPong();
    else session.writer.ping(buf, start, true);
  }

  /** RFC 9113 section 5.3.2: nothing but its form matters. */
  #onPriority(streamId: number, buf: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocol('PRIORITY on stream 0');
    this.#session.allowances.controlFrame();
    // There is no RST_STREAM for a stream that nobody has opened (RFC 9113 section 6.4).
    const Fault = this.#session.streams.wasOpened(streamId) ? StreamFault : ConnectionFault;
    if (end - start !== 5) throw new Fault('FRAME_SIZE_ERROR', 'PRIORITY');
    if ((buf.readUInt32BE(start) & 0x7fff_ffff) === streamId)
      throw new Fault('PROTOCOL_ERROR', 'a stream that depends on itself');
  }

  #onGoaway(streamId: number, buf: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('GOAWAY on a stream');
    if (end - start < 8) throw new ConnectionFault('FRAME_SIZE_ERROR', 'GOAWAY');
    this.#session.allowances.controlFrame();
    this.#session.role.onGoaway(buf.readUInt32BE(start) & 0x7fff_ffff, buf.readUInt32BE(start + 4));
  }

  /** RFC 9218 section 7.1. */
  #onPriorityUpdate(streamId: number, buf: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('PRIORITY_UPDATE on a stream');
    if (end - start < 4) throw new ConnectionFault('FRAME_SIZE_ERROR', 'PRIORITY_UPDATE');
    this.#session.allowances.controlFrame();
    const id = buf.readUInt32BE(start) & 0x7fff_ffff;
    if (id === 0) throw protocol('PRIORITY_UPDATE for stream 0');
    this.#session.role.onPriorityUpdate(id, this.#session.streams.get(id), latin1(buf, start + 4, end));
  }

  /** DATA for a stream that is not open: what was on its way when we reset it, as much as its window allowed. */
  #passOver(streamId: number, length: number): void {
    const session = this.#session;
    const isLate = session.lateBytes >= length; // a stream that ended long ago may be one that we reset
    this.#judgeClosed(streamId, isLate ? 'late' : 'data');
    session.lateBytes -= length;
    if (session.lateBytes < 0)
      throw new ConnectionFault('ENHANCE_YOUR_CALM', 'too much content of streams that are over');
    if (this.#dataEnds) session.streams.endLate(streamId);
  }

  /** A frame for a stream that is not open: idle, or over. Throws what it deserves. */
  #judgeClosed(streamId: number, what: 'data' | 'late' | 'control'): void {
    const { streams } = this.#session;
    const ending = streams.endingOf(streamId);
    if (ending === null && !streams.wasOpened(streamId)) throw protocol('a frame on an idle stream');
    if (what === 'control' || ending === 'reset-by-us' || (ending === null && what === 'late')) return;
    if (ending === 'ended') throw new ConnectionFault('STREAM_CLOSED', 'DATA on a closed stream');
    throw new StreamFault('STREAM_CLOSED', 'DATA on a closed stream');
  }
}

function protocol(what: string): ConnectionFault {
  return new ConnectionFault('PROTOCOL_ERROR', what);
}
