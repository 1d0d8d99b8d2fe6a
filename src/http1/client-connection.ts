// One upstream HTTP/1.1 connection: writes a request, reads its response, and may be used again only if the response
// ended exactly where its framing said and nothing followed. Bytes are read into one reused buffer (`onread`).
// Hot: no timer, stream, promise or closure per request, and none per read.
import type { Socket } from 'node:net';
import { KEPT_BYTES } from '../core/buffer-pool.ts';
import type { ConnectionServices } from '../core/connection-services.ts';
import type { Expiring } from '../core/deadlines.ts';
import type { PerantaraError } from '../core/errors.ts';
import { ReadBuffer } from '../core/read-buffer.ts';
import { socketFailure } from '../core/socket-failure.ts';
import type { SocketOpener } from '../core/upstream-socket.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { OutgoingRequest } from '../http/outgoing-request.ts';
import type { ClientTimeouts, RequestCarrier } from '../http/request-carrier.ts';
import type { ResponseObserver } from '../http/response-observer.ts';
import { blameUpstream, closedEarly, upstreamFault } from '../http/upstream-fault.ts';
import { writeLastChunk, writeRequestHead } from './head-writer.ts';
import { Output } from './output.ts';
import { ResponseReader } from './response-reader.ts';

export interface ClientConnectionOptions extends ConnectionServices {
  readonly timeouts: ClientTimeouts;
}

/** Told when the connection may be used again, and when it is gone. */
export interface ConnectionOwner {
  onIdle(connection: ClientConnection): void;
  onClosed(connection: ClientConnection): void;
}

export class ClientConnection implements RequestCarrier, Expiring {
  deadlineAt: number;
  /** Requests served so far. */
  served = 0;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #options: ClientConnectionOptions;
  readonly #output: Output;
  readonly #reader = new ResponseReader();
  readonly #readBuffer: ReadBuffer;
  #connected = false;
  #request: OutgoingRequest | null = null;
  #observer: ResponseObserver | null = null;
  #requestSent = false;
  #responseStarted = false;
  #paused = false;
  /** What came after the point where the observer paused; TLS may still bring what it had read by then, and the end. */
  #held: Buffer | null = null;

  constructor(open: SocketOpener, owner: ConnectionOwner, options: ClientConnectionOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#readBuffer = new ReadBuffer(options.buffers);
    this.deadlineAt = options.sweep.after(options.timeouts.connectMs);
    this.#socket = open({
      buffer: () => this.#readBuffer.next(),
      callback: (bytes) => this.#onRead(bytes),
    });
    this.#connected = !this.#socket.connecting;
    this.#output = new Output(this.#socket, options);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('drain', () => this.#onDrain());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error) => this.fail(this.#broken(error)));
    this.#socket.on('close', () => this.#onClose());
    options.sweep.add(this);
  }

  get connected(): boolean {
    return this.#connected;
  }

  get reused(): boolean {
    return this.served > 1;
  }

  /** Whether it is open; one that is ending may still be with its owner for a moment. */
  get usable(): boolean {
    return !this.#socket.destroyed;
  }

  get responseStarted(): boolean {
    return this.#responseStarted;
  }

  /** Idle limit the upstream announced, in milliseconds; Infinity without. */
  get announcedIdleMs(): number {
    return this.#reader.announcedIdleMs;
  }

  get #tunnelling(): boolean {
    return this.#reader.state === 'upgraded';
  }

  // For the sender.

  send(request: OutgoingRequest, observer: ResponseObserver): void {
    this.#request = request;
    this.#observer = observer;
    this.#requestSent = false;
    this.#responseStarted = false;
    this.#reader.begin(request.method, request.upgradeTo, observer);
    this.served++;
    this.#output.text(writeRequestHead(request));
    if (request.length === 0) this.#requestSent = true;
    this.#output.flushLater();
    if (this.#connected) this.#updateDeadline();
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    const isChunked = this.#request?.length === null && !this.#tunnelling;
    if (isChunked) this.#output.text(`${chunk.length.toString(16)}\r\n`);
    this.#output.chunk(chunk);
    if (isChunked) this.#output.text('\r\n');
    this.#output.flushLater();
    this.#updateDeadline();
    return !this.#output.blocked;
  }

  end(trailers: HeaderList | null): void {
    if (this.#requestSent && !this.#tunnelling) return;
    this.#requestSent = true;
    if (this.#request?.length === null && !this.#tunnelling) this.#output.text(writeLastChunk(trailers));
    this.#output.flush();
    if (this.#tunnelling) this.#socket.end();
    this.#updateDeadline();
    if (this.#reader.state === 'done') this.#settle();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#takeOwned(held);
    if (held !== null && this.#held === null && this.#socket.readableEnded) this.#onEnd();
    if (!this.#paused && !this.#socket.destroyed) this.#socket.resume();
    this.#updateDeadline();
  }

  /** Ends the connection now. */
  destroy(): void {
    this.#observer = null;
    this.#socket.destroy();
  }

  onDeadline(): void {
    if (this.#observer === null) {
      this.#socket.destroy(); // idle for too long
      return;
    }
    if (!this.#connected) this.fail(upstreamFault('connect_timeout', 'connecting took too long'));
    else if (this.#reader.state === 'head') this.fail(upstreamFault('response_timeout', 'the response took too long'));
    else this.fail(upstreamFault('upstream_stalled', 'the connection stalled'));
  }

  // What the socket tells.

  #onConnect(): void {
    this.#connected = true;
    this.#updateDeadline();
    this.#observer?.onConnect();
  }

  #onDrain(): void {
    this.#output.drained();
    this.#updateDeadline();
    this.#observer?.onRequestDrain();
  }

  #onRead(bytes: number): boolean {
    const chunk = this.#readBuffer.take(bytes);
    const before = this.#reader.pieces;
    try {
      this.#takeOwned(chunk);
    } catch (error) {
      this.#socket.destroy(); // or the next read would overwrite what is being written
      throw error;
    }
    const isLent = bytes >= KEPT_BYTES && this.#held === null;
    if (isLent) this.#options.buffers.count(chunk, this.#reader.pieces - before);
    return !this.#paused;
  }

  #onEnd(): void {
    if (this.#held !== null) return; // until it has been taken
    if (this.#tunnelling) {
      this.#observer?.onResponseEnd(null);
      return;
    }
    if (this.#reader.finish()) this.#finishResponse();
    if (this.#observer !== null) this.fail(closedEarly(this.#reader.state === 'content'));
    else this.#socket.destroy();
  }

  #onClose(): void {
    this.#options.sweep.delete(this);
    const { readableEnded, writableEnded } = this.#socket;
    const isTunnelOver = this.#tunnelling && readableEnded && writableEnded;
    if (this.#observer !== null && !isTunnelOver) this.fail(closedEarly(this.#reader.state === 'content'));
    this.#owner.onClosed(this);
  }

  // The response.

  #takeOwned(chunk: Buffer): void {
    if (this.#observer === null) {
      this.#socket.destroy(); // bytes that nobody asked for
      return;
    }
    this.#responseStarted = true;
    const reader = this.#reader;
    let at = 0;
    try {
      while (at < chunk.length && this.#observer !== null && (reader.state === 'head' || reader.state === 'content')) {
        if (this.#paused) {
          this.#hold(chunk.subarray(at));
          this.#observer.onResponseIdle();
          return;
        }
        at = reader.step(chunk, at);
      }
    } catch (error) {
      this.fail(blameUpstream(error));
      return;
    }
    if (this.#observer === null) return;
    if (reader.state === 'upgraded') {
      this.deadlineAt = Number.POSITIVE_INFINITY; // the downstream side watches a tunnel's silence
      if (at < chunk.length) reader.onContent(at === 0 ? chunk : chunk.subarray(at));
      this.#observer.onResponseIdle();
    } else if (reader.state === 'done') {
      if (at < chunk.length) reader.keepAlive = false; // more than was asked for
      this.#finishResponse();
    } else if (reader.state === 'content') {
      this.#updateDeadline(); // a head has one deadline, however it comes
      this.#observer.onResponseIdle();
    }
  }

  #hold(rest: Buffer): void {
    if (this.#held !== null) this.#held = Buffer.concat([this.#held, rest]);
    else this.#held = rest.length < KEPT_BYTES ? Buffer.from(rest) : rest;
  }

  // The ends.

  /** The response is complete. The connection is back with its owner before the observer hears of it. */
  #finishResponse(): void {
    const observer = this.#observer;
    this.#observer = null;
    if (this.#requestSent || !this.#reader.keepAlive) this.#settle();
    observer?.onResponseEnd(this.#reader.trailers);
  }

  #settle(): void {
    this.#request = null;
    if (!this.#reader.keepAlive || this.#socket.destroyed || this.#socket.readableEnded) {
      this.#socket.destroy();
      return;
    }
    this.#reader.state = 'idle';
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    this.deadlineAt = Number.POSITIVE_INFINITY;
    this.#owner.onIdle(this);
  }

  /** Ends the connection now, and tells whoever uses it why. */
  fail(error: PerantaraError): void {
    const observer = this.#observer;
    this.#observer = null;
    this.#socket.destroy();
    observer?.onResponseError(error);
  }

  #updateDeadline(): void {
    if (!this.#connected || this.#tunnelling || this.#observer === null) return;
    const { sweep, timeouts } = this.#options;
    const { bodyIdleMs, responseHeadMs } = timeouts;
    if (!this.#requestSent) this.deadlineAt = this.#output.blocked ? sweep.after(bodyIdleMs) : Number.POSITIVE_INFINITY;
    else if (this.#reader.state === 'head') this.deadlineAt = sweep.after(responseHeadMs);
    else this.deadlineAt = this.#paused ? Number.POSITIVE_INFINITY : sweep.after(bodyIdleMs);
  }

  #broken(cause: Error): PerantaraError {
    const why = socketFailure(cause);
    if (!this.#connected) return upstreamFault('connect_failed', `cannot connect: ${why}`, cause);
    return upstreamFault('upstream_closed', `the connection broke: ${why}`, cause);
  }
}
