// What both sides of an HTTP/2 connection have in common (RFC 9113): frames are read and checked, SETTINGS, PING and windows
// of the connection are kept, header blocks decoded, and streams told what is theirs. Whose streams they are and what their
// fields mean, its owner knows. Every fault is answered on its level: the stream's, or the connection's.
import type { Socket } from 'node:net';
import type { BufferPool } from '../core/buffer-pool.ts';
import type { ConnectionServices } from '../core/connection-services.ts';
import { Allowances } from './allowances.ts';
import { DataPump } from './data-pump.ts';
import { ConnectionFault, ERROR_CODES, type StreamFault } from './fault.ts';
import { ReceiveWindow } from './flow-window.ts';
import * as frame from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import {
  CONNECTION_WINDOW_BYTES,
  STREAM_WINDOW_BYTES,
  TABLE_BYTES,
  UPSTREAM_CONNECTION_WINDOW_BYTES,
} from './limits.ts';
import type { MessageFields } from './message-fields.ts';
import { SessionInput } from './session-input.ts';
import { SessionOutput } from './session-output.ts';
import { PeerSettings } from './settings.ts';
import type { Ending, Stream, StreamHost } from './stream.ts';
import { StreamTable } from './stream-table.ts';

/** The owner of a session: its server or its client side. */
export interface SessionRole<S extends Stream> {
  /** Whether the peer is the server. */
  readonly peerIsServer: boolean;
  /** Where the fields of a block for the stream are put; called before `onFields`. */
  fieldsFor(stream: S | undefined): MessageFields;
  /** A whole block; `stream` is undefined when it is not open. Throws ConnectionFault or StreamFault. */
  onFields(streamId: number, stream: S | undefined, fields: MessageFields, ends: boolean): void;
  /** The peer will open no more, or answer none above `lastStreamId`. */
  onGoaway(lastStreamId: number, errorCode: number): void;
  /** The first SETTINGS have come, or others. */
  onSettings(): void;
  /** Our SETTINGS, or a PING of ours, have been acknowledged. */
  onSettingsAcknowledged(): void;
  onPong(): void;
  /** RFC 9218 section 7.1; `stream` may be undefined. */
  onPriorityUpdate(streamId: number, stream: S | undefined, value: string): void;
  onStreamClosed(stream: S, how: Ending): void;
  /** The socket takes no more for now; its 'drain' says when it does. */
  onBlocked(): void;
  /** Nothing can be read any more: GOAWAY with `errorCode` is to be sent and the connection ended. */
  onFault(error: Error, errorCode: number): void;
}

export class Session<S extends Stream> implements StreamHost {
  readonly output: SessionOutput;
  readonly writer: FrameWriter;
  readonly pump: DataPump;
  readonly buffers: BufferPool;
  readonly allowances: Allowances;
  readonly streams = new StreamTable<S>();
  readonly peer = new PeerSettings();
  grownBytes = 0;
  lateBytes = 0;
  readonly #role: SessionRole<S>;
  readonly #input: SessionInput<S>;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder(TABLE_BYTES);
  readonly #encoder = new HpackEncoder(TABLE_BYTES);
  readonly #window: ReceiveWindow;

  constructor(socket: Socket, role: SessionRole<S>, services: ConnectionServices) {
    this.#role = role;
    this.#window = new ReceiveWindow(role.peerIsServer ? UPSTREAM_CONNECTION_WINDOW_BYTES : CONNECTION_WINDOW_BYTES);
    this.buffers = services.buffers;
    this.allowances = new Allowances(() => services.sweep.after(0));
    this.pump = new DataPump(frame.DEFAULT_WINDOW_BYTES, () => this.output);
    this.output = new SessionOutput(socket, this.pump, () => role.onBlocked(), services);
    this.writer = new FrameWriter(this.output, this.#encoder);
    this.#input = new SessionInput(this);
    this.#reader = new FrameReader(this.#input);
  }

  get role(): SessionRole<S> {
    return this.#role;
  }

  get sendWindow(): number {
    return this.peer.initialWindowBytes;
  }

  /** Whether the peer's SETTINGS have come. */
  get greeted(): boolean {
    return this.#input.greeted;
  }

  /** A number for the frame (other than DATA) or header block whose rest is waited for; 0: for none. */
  get waitingFor(): number {
    return this.#reader.started || this.#input.inBlock ? this.#input.messages + 1 : 0;
  }

  /** Says what we are: `values` as in FrameWriter.settings. */
  start(values: readonly number[]): void {
    this.writer.settings(values);
    this.writer.windowUpdate(0, this.#window.size - frame.DEFAULT_WINDOW_BYTES);
  }

  /** As `start`, after what a client begins with. */
  startAsClient(values: readonly number[]): void {
    this.writer.preface();
    this.start(values);
  }

  /** Uses up chunk[start…], which is lent for the call. */
  read(chunk: Buffer, start: number): void {
    try {
      this.#reader.read(chunk, start);
    } catch (error) {
      this.stop();
      const code = error instanceof ConnectionFault ? error.errorCode : ERROR_CODES.INTERNAL_ERROR;
      this.#role.onFault(error as Error, code);
    }
  }

  /** Reads no more. */
  stop(): void {
    this.#reader.stop();
  }

  onStreamClosed(stream: S, how: Ending): void {
    this.streams.end(stream.streamId, how);
    this.#role.onStreamClosed(stream, how);
  }

  // What the frames say: for SessionInput.

  /** A header block is complete. */
  onBlock(streamId: number, block: Buffer, start: number, end: number, ends: boolean, selfDependent: boolean): void {
    const stream = this.streams.get(streamId);
    const fields = this.#role.fieldsFor(stream);
    this.#decoder.decode(block, start, end, fields);
    if (selfDependent) fields.fault ??= 'it depends on itself';
    this.#role.onFields(streamId, stream, fields, ends);
  }

  /** Bytes of DATA have come, for whichever stream. They are given back at once: each stream has a window of its own. */
  takeFlow(bytes: number): void {
    if (!this.#window.take(bytes)) throw new ConnectionFault('FLOW_CONTROL_ERROR', 'more content than its window');
    const more = this.#window.giveBack(bytes);
    if (more > 0) this.writer.windowUpdate(0, more);
  }

  onSettings(buf: Buffer, start: number, end: number): void {
    const { peer } = this;
    const before = peer.initialWindowBytes;
    peer.apply(buf, start, end, this.#role.peerIsServer);
    const change = peer.initialWindowBytes - before;
    if (change !== 0) {
      for (const stream of this.streams.all()) {
        if (stream.sendWindow + change > frame.MAX_WINDOW_BYTES)
          throw new ConnectionFault('FLOW_CONTROL_ERROR', 'the window of a stream is too large');
        stream.enlargeSendWindow(change);
      }
    }
    this.#encoder.resize(peer.leastHeaderTableBytes);
    this.#encoder.resize(peer.headerTableBytes);
    this.writer.acknowledgeSettings();
    this.#role.onSettings();
  }

  onWindowUpdate(bytes: number): void {
    const { pump } = this;
    if (pump.window + bytes > frame.MAX_WINDOW_BYTES)
      throw new ConnectionFault('FLOW_CONTROL_ERROR', 'the window of the connection is too large');
    pump.window += bytes;
    if (!pump.idle) this.output.flushLater();
  }

  /** A fault of one stream, which may not be open. */
  onStreamFault(streamId: number, error: StreamFault): void {
    if (error.errorCode === ERROR_CODES.REFUSED_STREAM) this.allowances.reset();
    else this.allowances.forcedReset();
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.writer.resetStream(streamId, error.errorCode);
      this.streams.end(streamId, 'reset-by-us');
      this.lateBytes += STREAM_WINDOW_BYTES;
      return;
    }
    stream.reset(error.errorCode);
    stream.fail(error);
  }
}
