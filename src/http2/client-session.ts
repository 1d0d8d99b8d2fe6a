// One upstream HTTP/2 connection (RFC 9113): many requests at once, each on a stream of its own, as many as the server allows.
// What the server says it did not process is told to be so (RFC 9113 section 6.8), so that it can be sent again.
import type { Socket } from 'node:net';
import type { ConnectionServices } from '../core/connection-services.ts';
import type { Expiring } from '../core/deadlines.ts';
import type { PerantaraError } from '../core/errors.ts';
import type { SocketOpener } from '../core/upstream-socket.ts';
import type { ClientTimeouts, RequestCarrier } from '../http/request-carrier.ts';
import { upstreamFault } from '../http/upstream-fault.ts';
import { Carriers } from './carriers.ts';
import { ClientProgress } from './client-progress.ts';
import { ClientStream } from './client-stream.ts';
import type { ClientStreamServices } from './client-stream-services.ts';
import { ConnectionFault, ERROR_CODES, unacknowledged } from './fault.ts';
import * as frame from './frame.ts';
import { takeLateHeaders } from './late-response.ts';
import { RESPONSE_LIMITS, SETTINGS_ACK_MS, STREAM_WINDOW_BYTES, TRAILER_LIMITS, UNTOLD_STREAMS } from './limits.ts';
import { MessageFields } from './message-fields.ts';
import { Session, type SessionRole } from './session.ts';
import { Waits } from './waits.ts';

export interface ClientSessionOptions extends ConnectionServices {
  readonly scheme: 'http' | 'https';
  readonly timeouts: ClientTimeouts;
}

/** Told when the session can take more or has been told how much it can, when it has nothing to do, and when it is gone. */
export interface SessionOwner {
  onCapacity(session: ClientSession): void;
  onIdle(session: ClientSession): void;
  onClosed(session: ClientSession): void;
}

const SETTINGS: readonly number[] = [
  ...[frame.SETTINGS_ENABLE_PUSH, 0],
  ...[frame.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
  ...[frame.SETTINGS_MAX_HEADER_LIST_SIZE, RESPONSE_LIMITS.listBytes],
  ...[frame.SETTINGS_NO_RFC7540_PRIORITIES, 1],
];

export class ClientSession implements SessionRole<ClientStream>, ClientStreamServices, Expiring {
  readonly peerIsServer = true;
  readonly scheme: 'http' | 'https';
  readonly timeouts: ClientTimeouts;
  readonly sweep: ConnectionServices['sweep'];
  /** Whether the server has said how many requests it takes. */
  greeted = false;
  /** Requests sent so far. */
  served = 0;
  readonly #socket: Socket;
  readonly #owner: SessionOwner;
  readonly #session: Session<ClientStream>;
  readonly #waits = new Waits();
  readonly #progress: ClientProgress;
  readonly #carriers = new Carriers();
  #waitingFor = 0;
  #ending = false;
  /** Whether a request has been sent since anything came. */
  #isUnheard = false;

  constructor(open: SocketOpener, owner: SessionOwner, options: ClientSessionOptions) {
    this.scheme = options.scheme;
    this.timeouts = options.timeouts;
    this.sweep = options.sweep;
    this.#owner = owner;
    const { shared } = options.buffers;
    this.#socket = open({ buffer: () => shared, callback: (bytes) => this.#onRead(shared.subarray(0, bytes)) });
    this.#progress = new ClientProgress(!this.#socket.connecting);
    this.#session = new Session<ClientStream>(this.#socket, this, options);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('drain', () => this.#onDrain());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error) => this.#failAll(this.#progress.broken(error)));
    this.#socket.on('close', () => this.#onClose());
    if (this.connected) this.#awaitServer();
    else this.#waits.set('greeting', options.sweep.after(options.timeouts.connectMs));
    this.#session.startAsClient(SETTINGS);
    options.sweep.add(this);
  }

  get connected(): boolean {
    return this.#progress.connected;
  }

  get deadlineAt(): number {
    return this.#waits.earliest;
  }

  /** For its owner, while it is idle: when it is to be closed. */
  set deadlineAt(at: number) {
    if (!this.#isUnheard) this.#waits.clear('silence');
    this.#waits.set('request', at);
  }

  /** Whether it takes new requests at all. */
  get usable(): boolean {
    return !this.#ending && !this.#socket.destroyed;
  }

  /** How many requests it takes at once. */
  get limit(): number {
    return this.greeted ? this.#session.peer.maxConcurrentStreams : UNTOLD_STREAMS;
  }

  /** How many more requests it would take now. */
  get capacity(): number {
    if (!this.usable || this.#session.streams.lastId >= frame.MAX_STREAM_ID - 2) return 0;
    return Math.max(0, this.limit - this.#carriers.size);
  }

  /** Requests under way. */
  get streams(): number {
    return this.#carriers.size;
  }

  get takesTunnels(): boolean {
    return this.#session.peer.enableConnectProtocol;
  }

  /** Carries one request; while there is capacity. */
  openStream(): RequestCarrier {
    const stream = new ClientStream(this.#session, this);
    this.#carriers.add(stream);
    this.#waits.clear('request');
    return stream;
  }

  /** Takes no new requests, and closes when those under way are over. */
  close(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#session.writer.goaway(0);
    if (this.#carriers.size === 0) this.#endSocket();
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }

  // For its streams.

  open(stream: ClientStream): number {
    const { streams } = this.#session;
    streams.lastId = streams.lastId === 0 ? 1 : streams.lastId + 2;
    stream.streamId = streams.lastId;
    streams.add(stream);
    if (!this.#isUnheard) this.#waits.set('silence', this.sweep.after(this.timeouts.responseHeadMs));
    this.#isUnheard = true;
    return this.served++;
  }

  // What the socket tells.

  #onConnect(): void {
    this.#progress.connected = true;
    this.#awaitServer();
    this.#carriers.onConnected();
  }

  /** It can be reached: it has to begin, and to acknowledge (RFC 9113 section 6.5.3), if need be behind its first answer. */
  #awaitServer(): void {
    this.#waits.set('greeting', this.sweep.after(SETTINGS_ACK_MS));
    this.#waits.set('acknowledgement', this.sweep.after(this.timeouts.responseHeadMs + SETTINGS_ACK_MS));
  }

  #onRead(chunk: Buffer): boolean {
    this.#isUnheard = false;
    this.#session.read(chunk, 0);
    const { waitingFor } = this.#session;
    if (waitingFor === this.#waitingFor) return true;
    this.#waitingFor = waitingFor;
    if (waitingFor === 0) this.#waits.clear('block');
    else this.#waits.set('block', this.sweep.after(this.timeouts.bodyIdleMs));
    return true;
  }

  #onDrain(): void {
    this.#session.output.drained();
    this.#waits.clear('reader');
  }

  #onEnd(): void {
    this.#failAll(this.#progress.closed());
    this.#socket.destroy();
  }

  #onClose(): void {
    this.#ending = true;
    this.sweep.delete(this);
    this.#session.stop();
    this.#failAll(this.#progress.closed());
    this.#owner.onClosed(this);
  }

  // What the session tells.

  fieldsFor(stream: ClientStream | undefined): MessageFields {
    const isTrailers = stream?.headTaken === true;
    return new MessageFields(isTrailers ? TRAILER_LIMITS : RESPONSE_LIMITS, false);
  }

  onFields(streamId: number, stream: ClientStream | undefined, fields: MessageFields, ends: boolean): void {
    if (stream !== undefined) stream.onFields(fields, ends);
    else takeLateHeaders(this.#session, streamId, ends);
  }

  onGoaway(lastStreamId: number, errorCode: number): void {
    this.#ending = true;
    this.#progress.onGoaway(errorCode);
    this.#carriers.refuseAbove(lastStreamId, `the upstream closes the connection${this.#progress.afterGoaway}`);
    if (this.#carriers.size === 0) this.#endSocket();
  }

  onSettings(): void {
    const isFirst = !this.greeted;
    this.greeted = true;
    this.#owner.onCapacity(this);
    if (!isFirst) return;
    this.#waits.clear('greeting');
    this.#carriers.onGreeted(this.limit - this.#session.streams.size);
  }

  onSettingsAcknowledged(): void {
    this.#waits.clear('acknowledgement');
  }

  onPong(): void {}

  onPriorityUpdate(): void {
    throw new ConnectionFault('PROTOCOL_ERROR', 'PRIORITY_UPDATE from a server'); // RFC 9218 section 7.1
  }

  onStreamClosed(stream: ClientStream): void {
    if (!this.#carriers.delete(stream)) return;
    if (this.#carriers.size === 0 && this.#ending) this.#endSocket();
    else if (!this.usable) return;
    else if (this.#carriers.size === 0) this.#owner.onIdle(this);
    else this.#owner.onCapacity(this);
  }

  onBlocked(): void {
    this.#waits.set('reader', this.sweep.after(this.timeouts.bodyIdleMs));
  }

  onFault(error: Error, errorCode: number): void {
    this.#session.writer.goaway(0, errorCode);
    this.#failAll(this.#progress.unreadable(error, this.#session.greeted));
    this.#endSocket();
  }

  onDeadline(): void {
    switch (this.#waits.takeEarliest()) {
      case 'greeting':
        this.#failAll(this.#progress.late());
        this.#socket.destroy();
        break;
      case 'acknowledgement':
        this.#session.stop();
        this.onFault(unacknowledged(), ERROR_CODES.SETTINGS_TIMEOUT);
        break;
      case 'request':
        this.close();
        break;
      case 'silence':
        if (this.#isUnheard) this.close(); // nobody may be there any more
        break;
      case 'block':
      case 'reader':
        this.#failAll(upstreamFault('upstream_stalled', 'the connection stalled'));
        this.#socket.destroy();
        break;
      default:
        this.#socket.destroy();
    }
  }

  // The ends.

  #failAll(error: PerantaraError): void {
    this.#ending = true;
    this.#carriers.fail(error);
  }

  #endSocket(): void {
    this.#ending = true;
    this.#session.output.flush();
    if (this.#socket.destroyed) return;
    this.#socket.end();
    this.#waits.clearAll();
    this.#waits.set('linger', this.sweep.after(0));
  }
}
