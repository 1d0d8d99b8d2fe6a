// One downstream HTTP/2 connection (RFC 9113): every stream that its client opens becomes an Exchange for the handler. It
// keeps the connection's deadlines and ends it in two steps, so that no request is lost (RFC 9113 section 6.8).
import type { Socket } from 'node:net';
import type { Expiring } from '../core/deadlines.ts';
import { PerantaraError } from '../core/errors.ts';
import { readShared } from '../core/shared-read.ts';
import { clientGone, shuttingDown, unexpected } from '../http/downstream-fault.ts';
import type { DownstreamOptions } from '../http/downstream-options.ts';
import type { Client } from '../http/exchange.ts';
import { LINGER_MS, slowReaderMs } from '../http/grace.ts';
import { ConnectionFault, ERROR_CODES, unacknowledged } from './fault.ts';
import * as frame from './frame.ts';
import {
  CONCURRENT_STREAMS,
  GRACE_MS,
  REQUEST_LIMITS,
  SETTINGS_ACK_MS,
  STREAM_WINDOW_BYTES,
  TRAILER_LIMITS,
} from './limits.ts';
import { MessageFields } from './message-fields.ts';
import { parsePriority } from './priority.ts';
import type { ServerStream } from './server-stream.ts';
import { Session, type SessionRole } from './session.ts';
import { StreamOpener } from './stream-opener.ts';
import { type Wait, Waits } from './waits.ts';

const SETTINGS: readonly number[] = [
  ...[frame.SETTINGS_MAX_CONCURRENT_STREAMS, CONCURRENT_STREAMS],
  ...[frame.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
  ...[frame.SETTINGS_MAX_HEADER_LIST_SIZE, REQUEST_LIMITS.listBytes],
  ...[frame.SETTINGS_ENABLE_CONNECT_PROTOCOL, 1],
  ...[frame.SETTINGS_NO_RFC7540_PRIORITIES, 1],
];
const GRACE_PING = Buffer.from('goodbye!', 'latin1');

export class ServerSession implements SessionRole<ServerStream>, Expiring {
  readonly peerIsServer = false;
  readonly #socket: Socket;
  readonly #options: DownstreamOptions;
  readonly #session: Session<ServerStream>;
  readonly #opener: StreamOpener;
  readonly #waits = new Waits();
  /** Which frame or header block is waited for (Session.waitingFor). */
  #waitingFor = 0;
  #prefaceBytes = 0;
  #draining = false;
  /** Whether the client may not know yet that no new streams are wanted: those on their way are served. */
  #inGrace = false;
  #lingering = false;

  /** The socket is connected and past its TLS handshake. */
  constructor(socket: Socket, client: Client, options: DownstreamOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = new Session<ServerStream>(socket, this, options);
    this.#opener = new StreamOpener(this.#session, client, options);
  }

  start(): void {
    const socket = this.#socket;
    socket.on('error', () => {}); // 'close' follows and says it all
    socket.on('close', () => this.#onClose());
    const onData = (chunk: Buffer): void => this.#onData(chunk);
    if (!readShared(socket, this.#options.buffers.shared, onData)) socket.on('data', onData);
    socket.on('end', () => this.#onEnd());
    socket.on('drain', () => this.#onDrain());
    socket.on('finish', () => this.#onFinish());
    this.#session.start(SETTINGS);
    this.#wait('greeting', this.#options.timeouts.headMs);
    this.#wait('acknowledgement', this.#options.timeouts.headMs + SETTINGS_ACK_MS);
    this.#options.sweep.add(this);
    socket.resume();
  }

  /** Lets the client know that it is to open no more streams; closes when those it has opened are done. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    const { writer, greeted } = this.#session;
    this.#inGrace = true;
    if (greeted) {
      writer.goaway(frame.MAX_STREAM_ID);
      writer.ping(GRACE_PING, 0, false);
    }
    this.#wait('grace', GRACE_MS);
  }

  destroy(): void {
    this.#abortAll(shuttingDown());
    this.#socket.destroy();
  }

  // What the socket tells.

  #onData(chunk: Buffer): void {
    if (this.#lingering) return;
    let at = 0;
    if (this.#prefaceBytes < frame.PREFACE.length) {
      at = Math.min(chunk.length, frame.PREFACE.length - this.#prefaceBytes);
      const known = this.#prefaceBytes;
      this.#prefaceBytes += at;
      if (frame.PREFACE.compare(chunk, 0, at, known, known + at) !== 0) {
        this.onFault(new ConnectionFault('PROTOCOL_ERROR', 'it does not begin as one'), ERROR_CODES.PROTOCOL_ERROR);
        return;
      }
      if (at === chunk.length) return;
    }
    this.#session.read(chunk, at);
    if (this.#lingering) return;
    if (this.#session.output.untaken) this.#socket.pause(); // until 'drain'
    const { waitingFor } = this.#session;
    if (waitingFor === this.#waitingFor) return;
    this.#waitingFor = waitingFor;
    if (waitingFor === 0) this.#waits.clear('block');
    else this.#wait('block', this.#options.timeouts.headMs);
  }

  /** HTTP/2 knows no half-closed connections: a client that has closed its side is gone. */
  #onEnd(): void {
    this.#session.output.run(); // answers that are complete
    this.#socket.destroySoon();
    this.#abortAll(clientGone('before its response was complete'));
  }

  #onDrain(): void {
    this.#session.output.drained();
    this.#waits.clear('reader');
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  #onFinish(): void {
    if (this.#lingering) this.#wait('linger', LINGER_MS);
  }

  #onClose(): void {
    this.#options.sweep.delete(this);
    this.#session.stop();
    this.#abortAll(clientGone('before its response was complete'));
    this.#options.onClose();
  }

  // What the session tells.

  fieldsFor(stream: ServerStream | undefined): MessageFields {
    return stream === undefined ? new MessageFields(REQUEST_LIMITS, true) : new MessageFields(TRAILER_LIMITS, false);
  }

  onFields(streamId: number, stream: ServerStream | undefined, fields: MessageFields, ends: boolean): void {
    this.#opener.take(streamId, stream, fields, ends);
    if (this.#session.streams.size > 0) this.#waits.clear('request');
  }

  onGoaway(): void {
    this.#draining = true; // it will open no more; what is open goes on
    this.#inGrace = false;
    if (this.#session.streams.size === 0) this.#announceEnd();
  }

  onSettings(): void {
    this.#waits.clear('greeting');
    if (this.#session.streams.size === 0) this.#wait('request', this.#options.timeouts.keepAliveMs);
  }

  onSettingsAcknowledged(): void {
    this.#waits.clear('acknowledgement');
  }

  onPong(): void {
    if (this.#draining) this.#announceEnd();
  }

  onPriorityUpdate(_streamId: number, stream: ServerStream | undefined, value: string): void {
    if (stream !== undefined) this.#session.pump.move(stream, () => Object.assign(stream, parsePriority(value)));
  }

  onStreamClosed(): void {
    if (this.#session.streams.size > 0 || this.#lingering) return;
    if (this.#inGrace) return;
    if (this.#opener.closed || this.#draining) this.#announceEnd();
    else this.#wait('request', this.#options.timeouts.keepAliveMs);
  }

  onFault(error: Error, errorCode: number): void {
    this.#opener.closed = true;
    const { writer, streams } = this.#session;
    writer.goaway(streams.lastId, errorCode, error instanceof PerantaraError ? error.message : '');
    this.#abortAll(error instanceof PerantaraError ? error : unexpected(error));
    if (!(error instanceof ConnectionFault)) this.#options.onFault(unexpected(error));
    this.#endSocket();
  }

  onBlocked(): void {
    this.#wait('reader', slowReaderMs(this.#options.timeouts));
  }

  // Deadlines.

  get deadlineAt(): number {
    return this.#waits.earliest;
  }

  onDeadline(): void {
    switch (this.#waits.takeEarliest()) {
      case 'greeting':
        this.onFault(new ConnectionFault('PROTOCOL_ERROR', 'it does not begin'), ERROR_CODES.PROTOCOL_ERROR);
        break;
      case 'block':
        this.onFault(new ConnectionFault('PROTOCOL_ERROR', 'a frame takes too long'), ERROR_CODES.PROTOCOL_ERROR);
        break;
      case 'acknowledgement':
        this.onFault(unacknowledged(), ERROR_CODES.SETTINGS_TIMEOUT);
        break;
      case 'request':
        this.drain();
        break;
      case 'grace':
        this.#announceEnd();
        break;
      case 'reader':
      case 'linger':
        this.#socket.destroy();
        break;
    }
  }

  #wait(wait: Wait, ms: number): void {
    this.#waits.set(wait, this.#options.sweep.after(ms));
  }

  // The ends.

  /** The second step: no stream above the last is served. */
  #announceEnd(): void {
    this.#inGrace = false;
    this.#waits.clear('grace');
    const { streams, writer } = this.#session;
    if (!this.#opener.closed) {
      this.#opener.closed = true;
      writer.goaway(streams.lastId);
    }
    if (streams.size === 0) this.#endSocket();
  }

  #abortAll(error: PerantaraError): void {
    this.#opener.closed = true;
    for (const stream of this.#session.streams.all()) stream.fail(error);
  }

  /** Sends what is there and FIN, then reads on for a moment so that nothing is lost to a reset. */
  #endSocket(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    this.#session.output.flush();
    this.#socket.end();
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#waits.clearAll();
    this.#wait('linger', slowReaderMs(this.#options.timeouts)); // LINGER_MS from #onFinish
  }
}
