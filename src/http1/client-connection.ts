// One upstream HTTP/1.1 connection: writes a request, reads its response, and may be used again only if the response
// ended exactly where its framing said and nothing followed. Bytes are read into one reused buffer (`onread`).
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { monotonicMs } from '../core/clock.ts';
import type { DeadlineSweep, Expiring } from '../core/deadlines.ts';
import { codeOf, PerantaraError } from '../core/errors.ts';
import type { YoungCollector } from '../core/young-collector.ts';
import type { HeaderList } from '../http/header-list.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { isBodyless, type ResponseHead } from '../http/message.ts';
import { type BodyConsumer, BodyDecoder } from './body-decoder.ts';
import { contentLength, responseFraming } from './framing.ts';
import { type ParsedResponse, parseResponseHead } from './head-parser.ts';
import { blameUpstream, HeadReader } from './head-reader.ts';
import { writeLastChunk, writeRequestHead } from './head-writer.ts';
import { INTERIM_RESPONSES, RESPONSE_LIMITS } from './limits.ts';
import { Output } from './output.ts';

export interface ClientTimeouts {
  readonly connectMs: number;
  readonly responseHeadMs: number;
  readonly bodyIdleMs: number;
}

export interface ClientConnectionOptions {
  readonly timeouts: ClientTimeouts;
  readonly sweep: DeadlineSweep;
  readonly collector: YoungCollector;
}

/** What one request's sender is told. After onResponseEnd or onResponseError nothing more comes. */
export interface ResponseObserver {
  /** The connection is up; only now is request content worth reading. Not called on a reused connection. */
  onConnect(): void;
  onInformation(head: ResponseHead): void;
  /** `length`: content bytes to follow (or, without content, as declared); null when unknown. */
  onResponse(head: ResponseHead, length: number | null): void;
  /** 101: from now on onResponseData and onResponseEnd carry the new protocol's bytes. */
  onUpgrade(head: ResponseHead, protocol: string): void;
  /** A piece of response content; it belongs to the observer and is never changed afterwards. */
  onResponseData(chunk: Buffer): void;
  onResponseEnd(trailers: HeaderList | null): void;
  /** `write` may be called again after it returned false. */
  onRequestDrain(): void;
  onResponseError(error: PerantaraError): void;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  /** Without hop-by-hop and framing fields. */
  readonly headers: HeaderList;
  /** Content bytes to follow, null when unknown. */
  readonly length: number | null;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
}

/** Told when the connection may be used again, and when it is gone. */
export interface ConnectionOwner {
  onIdle(connection: ClientConnection): void;
  onClosed(connection: ClientConnection): void;
}

const READ_BUFFER_BYTES = 64 * 1024;
/** Reads of at least this size are handed on in their own buffer instead of being copied out of the shared one. */
const HAND_OVER_BYTES = 16 * 1024;

export class ClientConnection implements BodyConsumer, Expiring {
  deadlineAt: number;
  /** Requests served so far. */
  served = 0;
  /** Idle limit the upstream announced (`Keep-Alive: timeout`), in milliseconds; Infinity without. */
  announcedIdleMs = Number.POSITIVE_INFINITY;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #timeouts: ClientTimeouts;
  readonly #sweep: DeadlineSweep;
  readonly #collector: YoungCollector;
  readonly #output: Output;
  readonly #reader = new HeadReader(parseResponseHead, RESPONSE_LIMITS);
  #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #ownsRead = false;
  #connected = false;
  #request: OutgoingRequest | null = null;
  #observer: ResponseObserver | null = null;
  #decoder: BodyDecoder | null = null;
  #tunnelling = false;
  #requestSent = false;
  #responseDone = false;
  #keepAlive = true;
  #interim = 0;
  #paused = false;
  #held: Buffer | null = null;
  #trailers: HeaderList | null = null;
  #bytesSeen = false;

  constructor(address: NetConnectOpts, owner: ConnectionOwner, options: ClientConnectionOptions) {
    this.#owner = owner;
    this.#timeouts = options.timeouts;
    this.#sweep = options.sweep;
    this.#collector = options.collector;
    this.deadlineAt = monotonicMs() + options.timeouts.connectMs;
    this.#socket = connect({
      ...address,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#nextReadBuffer(),
        callback: (bytes) => this.#onRead(bytes),
      },
    });
    this.#output = new Output(this.#socket);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('drain', () => this.#observer?.onRequestDrain());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error) => this.#fail(this.#connectionError(error)));
    this.#socket.on('close', () => this.#onClose());
    this.#sweep.add(this);
  }

  /** Whether the connection has carried a request before, so that the upstream may have closed it unnoticed. */
  get reused(): boolean {
    return this.served > 1;
  }

  /** Whether any byte of a response to the current request has arrived. */
  get responseStarted(): boolean {
    return this.#bytesSeen;
  }

  // For the sender.

  /** Starts a request; content follows by `write` and `end`, at once complete when its length is 0. */
  send(request: OutgoingRequest, observer: ResponseObserver): void {
    this.#request = request;
    this.#observer = observer;
    this.#requestSent = false;
    this.#responseDone = false;
    this.#bytesSeen = false;
    this.#interim = 0;
    this.served++;
    let fields = '';
    if (request.length === null) fields = 'Transfer-Encoding: chunked\r\n';
    else if (request.length > 0 || declaresEmptyContent(request.method))
      fields = `Content-Length: ${request.length}\r\n`;
    if (request.upgradeTo !== null) fields += `Connection: Upgrade\r\nUpgrade: ${request.upgradeTo}\r\n`;
    else if (request.acceptsTrailers) fields += 'Connection: TE\r\nTE: trailers\r\n';
    this.#output.text(writeRequestHead(request.method, request.target, request.headers, fields));
    if (request.length === 0) {
      this.#requestSent = true;
      this.#output.flush();
    }
    if (this.#connected) this.#updateDeadline();
  }

  /** Takes ownership of `chunk`. false: wait for onRequestDrain. */
  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    const isChunked = this.#request?.length === null && !this.#tunnelling;
    if (isChunked) this.#output.text(`${chunk.length.toString(16)}\r\n`);
    this.#output.chunk(chunk);
    if (isChunked) this.#output.text('\r\n');
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
    if (this.#responseDone) this.#settle();
  }

  /** Stops and restarts the flow of response content. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#takeOwned(held);
    if (!this.#paused && !this.#socket.destroyed) this.#socket.resume();
    this.#updateDeadline();
  }

  /** Ends the connection now; the observer hears nothing. */
  destroy(): void {
    this.#observer = null;
    this.#socket.destroy();
  }

  onDeadline(): void {
    const code = !this.#connected
      ? 'connect_timeout'
      : this.#decoder === null
        ? 'response_timeout'
        : 'upstream_stalled';
    if (this.#observer === null)
      this.#socket.destroy(); // idle for too long
    else this.#fail(this.#error(code, code.replace('_', ' ').replace('timeout', 'took too long'), undefined));
  }

  // What the socket tells.

  #onConnect(): void {
    this.#connected = true;
    this.#updateDeadline();
    this.#observer?.onConnect();
  }

  #nextReadBuffer(): Buffer {
    if (this.#ownsRead) this.#readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    this.#ownsRead = false;
    return this.#readBuffer;
  }

  #onRead(bytes: number): boolean {
    this.#collector.note(bytes);
    if (bytes >= HAND_OVER_BYTES) {
      this.#ownsRead = true;
      this.#takeOwned(this.#readBuffer.subarray(0, bytes));
    } else this.#takeOwned(Buffer.from(this.#readBuffer.subarray(0, bytes)));
    return !this.#paused;
  }

  #onEnd(): void {
    if (this.#tunnelling) {
      this.#observer?.onResponseEnd(null);
      return;
    }
    if (this.#decoder?.finish()) {
      this.#keepAlive = false;
      this.#responseDone = true;
      this.#finishResponse();
    }
    if (this.#observer !== null) this.#fail(this.#closedError());
    else this.#socket.destroy();
  }

  #onClose(): void {
    this.#sweep.delete(this);
    if (this.#observer !== null) this.#fail(this.#closedError());
    this.#owner.onClosed(this);
  }

  // The response.

  #takeOwned(chunk: Buffer): void {
    if (this.#observer === null) {
      this.#socket.destroy(); // bytes that nobody asked for
      return;
    }
    this.#bytesSeen = true;
    if (this.#tunnelling) {
      this.#observer.onResponseData(chunk);
      return;
    }
    let at = 0;
    try {
      while (at < chunk.length && this.#observer !== null && !this.#tunnelling) {
        if (this.#paused) {
          this.#held = chunk.subarray(at);
          return;
        }
        at = this.#decoder === null ? this.#takeHead(chunk, at) : this.#decoder.decode(chunk, at, chunk.length, this);
        if (this.#responseDone) break;
      }
    } catch (error) {
      if (this.#observer !== null) this.#fail(blameUpstream(error));
      else this.#socket.destroy();
      return;
    }
    if (this.#tunnelling && at < chunk.length) this.#observer?.onResponseData(chunk.subarray(at));
    else if (this.#responseDone) {
      if (at < chunk.length) this.#keepAlive = false;
      this.#finishResponse();
    } else this.#updateDeadline();
  }

  #takeHead(chunk: Buffer, at: number): number {
    const parsed = this.#reader.read(chunk, at, chunk.length);
    if (parsed === null) return chunk.length;
    const end = this.#reader.endAt;
    if (parsed.status >= 200) this.#takeFinalHead(parsed);
    else if (parsed.status === 101) this.#takeUpgrade(parsed);
    else {
      if (++this.#interim > INTERIM_RESPONSES) throw new Error('cannot accept more interim responses');
      stripHopByHop(parsed.headers);
      if (parsed.status === 100 || parsed.status === 103) this.#observer?.onInformation(parsed);
    }
    return end;
  }

  #takeFinalHead(parsed: ParsedResponse): void {
    const bodyless = isBodyless(this.#request!.method, parsed.status);
    const framing = responseFraming(parsed.version, parsed.headers, bodyless);
    const connection = parsed.headers.getJoined('connection')?.toLowerCase() ?? '';
    const closes = parsed.version === '1.0' ? !/\bkeep-alive\b/.test(connection) : /\bclose\b/.test(connection);
    this.#keepAlive = !closes && framing !== 'close';
    this.#announcedIdle(parsed.headers);
    const length = bodyless ? contentLength(parsed.headers) : typeof framing === 'number' ? framing : null;
    stripHopByHop(parsed.headers);
    this.#decoder = new BodyDecoder(framing);
    this.#observer!.onResponse(parsed, length);
    if (framing === 0) this.#responseDone = true;
  }

  #takeUpgrade(parsed: ParsedResponse): void {
    const protocol = parsed.headers.getJoined('upgrade');
    if (this.#request!.upgradeTo === null || protocol === null)
      throw new Error('cannot accept 101: no upgrade was asked for');
    stripHopByHop(parsed.headers);
    this.#tunnelling = true;
    this.#keepAlive = false;
    this.deadlineAt = Number.POSITIVE_INFINITY; // the downstream side watches a tunnel's silence
    this.#observer!.onUpgrade(parsed, protocol);
  }

  onContent(chunk: Buffer): void {
    this.#observer?.onResponseData(chunk);
  }

  onContentEnd(trailers: HeaderList | null): void {
    this.#responseDone = true;
    this.#trailers = trailers;
  }

  // The ends.

  /** The response is complete. The connection is back with its owner before the observer hears of it. */
  #finishResponse(): void {
    const observer = this.#observer;
    const trailers = this.#trailers;
    this.#observer = null;
    this.#decoder = null;
    this.#trailers = null;
    if (this.#requestSent || !this.#keepAlive) this.#settle();
    observer?.onResponseEnd(trailers);
  }

  #settle(): void {
    this.#request = null;
    if (!this.#keepAlive || this.#socket.destroyed || this.#socket.readableEnded) {
      this.#socket.destroy();
      return;
    }
    this.deadlineAt = Number.POSITIVE_INFINITY;
    this.#owner.onIdle(this);
  }

  #announcedIdle(headers: HeaderList): void {
    const seconds = /\btimeout=(\d{1,6})/.exec(headers.get('keep-alive') ?? '')?.[1];
    if (seconds !== undefined) this.announcedIdleMs = Math.max(0, Number(seconds) * 1_000 - 1_000);
  }

  #fail(error: PerantaraError): void {
    const observer = this.#observer;
    this.#observer = null;
    this.#socket.destroy();
    observer?.onResponseError(error);
  }

  #updateDeadline(): void {
    if (!this.#connected || this.#tunnelling || this.#observer === null) return;
    const { bodyIdleMs, responseHeadMs } = this.#timeouts;
    if (!this.#requestSent)
      this.deadlineAt = this.#output.blocked ? monotonicMs() + bodyIdleMs : Number.POSITIVE_INFINITY;
    else if (this.#decoder === null) this.deadlineAt = monotonicMs() + responseHeadMs;
    else this.deadlineAt = this.#paused ? Number.POSITIVE_INFINITY : monotonicMs() + bodyIdleMs;
  }

  #connectionError(cause: Error): PerantaraError {
    if (!this.#connected) return this.#error('connect_failed', `connect: ${codeOf(cause) || cause.message}`, cause);
    return this.#error('upstream_closed', `connection broke: ${codeOf(cause) || cause.message}`, cause);
  }

  #closedError(): PerantaraError {
    const where = this.#decoder !== null ? 'in the middle of its response' : 'before its response';
    return this.#error('upstream_closed', `upstream closed the connection ${where}`, undefined);
  }

  #error(code: string, what: string, cause: unknown): PerantaraError {
    return new PerantaraError(`cannot get a response: ${what}`, { code, source: 'upstream', cause });
  }
}

/** Methods for which the absence of content is worth saying (RFC 9110 section 8.6). */
function declaresEmptyContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
