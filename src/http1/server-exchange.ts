// One request and response on an HTTP/1.1 connection: decodes the request content, writes the response with the framing
// that the client's version allows (RFC 9112 section 6). It allocates nothing per chunk but the bytes themselves.
import type { PerantaraError } from '../core/errors.ts';
import type { Client, Exchange, ExchangeObserver } from '../http/exchange.ts';
import { contentTooLarge, respondedTwice, wrongLength } from '../http/exchange-fault.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';
import { newRequestId } from '../http/request-id.ts';
import { type BodyConsumer, BodyDecoder } from './body-decoder.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { writeLastChunk, writeResponseHead } from './head-writer.ts';
import { DISCARD_BYTES } from './limits.ts';
import type { IncomingRequest } from './request-reader.ts';
import { framingField, type ResponseFraming, responseFraming } from './response-framing.ts';

/** Shared by all exchanges: it has no state once it is done. */
const NO_CONTENT = new BodyDecoder(0);

export class ServerExchange implements Exchange, BodyConsumer {
  readonly request: RequestHead;
  readonly requestLength: number | null;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
  record: ExchangeRecord | null;
  readonly #host: ExchangeHost;
  readonly #decoder: BodyDecoder;
  #observer: ExchangeObserver | null = null;
  #id: string | null = null;
  #receiving = false;
  #paused = false;
  #requestLimitBytes = Number.POSITIVE_INFINITY;
  #awaitsContinue: boolean;
  #keepAlive: boolean;
  #framing: ResponseFraming | null = null;
  #left = 0;
  #ended = false;
  #discarded = 0;
  #unrewarded = 0;
  #inputEnded = false;

  constructor(host: ExchangeHost, incoming: IncomingRequest) {
    const { head } = incoming;
    this.#host = host;
    this.request = head;
    this.record = host.records.begin(host.client, head.method, incoming.target, head.version, head.host, head.headers);
    this.requestLength = typeof incoming.framing === 'number' ? incoming.framing : null;
    this.upgradeTo = incoming.upgradeTo;
    this.acceptsTrailers = incoming.acceptsTrailers;
    this.#decoder = incoming.framing === 0 ? NO_CONTENT : new BodyDecoder(incoming.framing);
    this.#awaitsContinue = incoming.expectsContinue;
    this.#keepAlive = incoming.keepAlive && !host.draining;
  }

  get id(): string {
    this.#id ??= newRequestId();
    return this.#id;
  }

  get client(): Client {
    return this.#host.client;
  }

  get responded(): boolean {
    return this.#framing !== null;
  }

  // For the handler: request content.

  observe(observer: ExchangeObserver): void {
    this.#observer = observer;
  }

  limitRequest(bytes: number): void {
    this.#requestLimitBytes = bytes;
    if (this.requestLength !== null && this.requestLength > bytes) throw contentTooLarge(bytes);
  }

  receive(): void {
    this.#receiving = true;
    if (this.#decoder.done && !this.tunnelling) this.#observer?.onEnd(null);
    else this.#host.onActivity();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#host.onActivity();
  }

  // For the handler: the response.

  inform(head: ResponseHead): void {
    if (this.request.version === '1.0' || this.responded) return;
    if (head.status === 100) this.#awaitsContinue = false;
    this.#host.output.text(writeResponseHead(head.status, head.reason, head.headers, ''));
    this.#host.output.flush();
  }

  respond(head: ResponseHead, length: number | null): void {
    if (this.responded) throw respondedTwice();
    if (this.#host.draining || !this.#mayKeepAlive(head.status)) this.#keepAlive = false;
    // Bytes sent ahead of a refused upgrade are no request: never read them as one (CVE-2026-2833).
    if (this.upgradeTo !== null && this.#host.inputPending) this.#keepAlive = false;
    this.record?.respond(head.status, head.headers);
    const framing = responseFraming(this.request, head.status, length);
    this.#framing = framing;
    if (framing === 'length') this.#left = length!;
    else if (framing === 'close') this.#keepAlive = false;
    let fields = framingField(framing, head.status, length);
    if (!this.#keepAlive) fields += 'Connection: close\r\n';
    else if (this.request.version === '1.0') fields += 'Connection: keep-alive\r\n';
    this.#host.output.text(writeResponseHead(head.status, head.reason, head.headers, fields));
  }

  upgrade(head: ResponseHead, protocol: string): void {
    this.#framing = 'tunnel';
    this.record?.respond(101, head.headers);
    this.#keepAlive = false;
    const fields = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
    this.#host.output.text(writeResponseHead(101, head.reason, head.headers, fields));
    this.#host.output.flush();
    this.#host.onActivity();
  }

  write(chunk: Buffer): boolean {
    if (this.#ended || chunk.length === 0 || this.#framing === 'none') return true;
    const output = this.#host.output;
    if (this.record !== null) this.record.responseBytes += chunk.length;
    if (this.#framing === 'chunked') {
      output.text(`${chunk.length.toString(16)}\r\n`);
      output.chunk(chunk);
      output.text('\r\n');
    } else {
      if (this.#framing === 'length') this.#left -= chunk.length;
      output.chunk(chunk);
    }
    const isBlocked = output.blocked;
    if (isBlocked || this.#framing === 'tunnel') this.#host.onActivity();
    return !isBlocked;
  }

  flush(): void {
    this.#host.output.flushLater();
  }

  end(trailers: HeaderList | null): void {
    if (this.#ended) return;
    if (this.#framing === 'length' && this.#left !== 0) {
      this.abort(wrongLength());
      return;
    }
    this.#ended = true;
    if (this.record !== null) this.record.trailers = trailers;
    if (!this.tunnelling || this.#inputEnded) this.#over(null);
    if (this.#framing === 'chunked') this.#host.output.text(writeLastChunk(trailers));
    this.#host.output.flushLater();
    this.#host.onResponseEnd();
  }

  abort(error: PerantaraError): void {
    this.#observer = null;
    this.#host.breakOff(error);
    this.#ended = true;
    this.#over(error);
  }

  // For the connection.

  get tunnelling(): boolean {
    return this.#framing === 'tunnel';
  }

  get responseEnded(): boolean {
    return this.#ended;
  }

  get requestDone(): boolean {
    return this.tunnelling ? this.#inputEnded : this.#decoder.done;
  }

  /** Whether another exchange may follow on the connection. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /** Whether request content (or, tunnelling, any byte) would be taken now. */
  get wantsInput(): boolean {
    if (this.requestDone) return false;
    return this.#ended && !this.tunnelling ? this.#discarded <= DISCARD_BYTES : this.#receiving && !this.#paused;
  }

  /**
   * Whether bytes that came give the client new time: not while it leaves its response untaken, and where content is all
   * that moves, only for every `least` bytes of it.
   */
  earnsTime(bytes: number, least: number): boolean {
    if (this.tunnelling) return true;
    if (this.#host.output.blocked) return false;
    if (!this.wantsInput || (this.responded && !this.#ended)) return true;
    this.#unrewarded += bytes;
    if (this.#unrewarded < least) return false;
    this.#unrewarded = 0;
    return true;
  }

  /** Takes request bytes; returns the offset reached. Throws PerantaraError for malformed or oversized content. */
  feed(buf: Buffer, start: number, end: number): number {
    this.#awaitsContinue = false;
    if (!this.tunnelling) return this.#decoder.decode(buf, start, end, this);
    if (this.record !== null) this.record.requestBytes += end - start;
    this.#observer?.onData(start === 0 && end === buf.length ? buf : buf.subarray(start, end));
    return end;
  }

  onContent(chunk: Buffer): void {
    if (this.#ended) {
      this.#discarded += chunk.length;
      return;
    }
    if (this.#decoder.contentBytes > this.#requestLimitBytes) throw contentTooLarge(this.#requestLimitBytes);
    this.#observer?.onData(chunk);
  }

  onContentEnd(trailers: HeaderList | null): void {
    if (!this.#ended) this.#observer?.onEnd(trailers);
  }

  /** The client will send no more. */
  inputEnd(): void {
    this.#inputEnded = true;
    if (this.#ended) this.#over(null);
    this.#observer?.onEnd(null);
  }

  /** Sends something that every client of HTTP/1.1 ignores (RFC 9110 section 15.2). false: there is no such thing now. */
  probe(): boolean {
    if (this.responded || this.request.version === '1.0') return false;
    this.#host.output.text('HTTP/1.1 102 Processing\r\n\r\n');
    this.#host.output.flush();
    return true;
  }

  drained(): void {
    if (!this.#ended) this.#observer?.onDrain();
  }

  /** The exchange is over for an outside reason; the observer hears of it once. */
  fail(error: PerantaraError): void {
    const observer = this.#observer;
    this.#observer = null;
    this.record?.note(error);
    if (!this.#ended || this.tunnelling) observer?.onAbort(error);
  }

  /** As `fail`, and there is no answer, or no more of it. */
  giveUp(error: PerantaraError): void {
    this.fail(error);
    if (!this.#ended || this.tunnelling) this.#over(error);
  }

  /** After a failure: the connection answers in the handler's place, so nothing may follow. */
  forceClose(): void {
    this.#keepAlive = false;
  }

  #over(error: PerantaraError | null): void {
    const { record } = this;
    if (record === null) return;
    this.record = null;
    record.id = this.#id;
    record.requestBytes += this.#decoder.contentBytes;
    record.over(error);
  }

  /** A client that may or may not send its content cannot be followed by another request. */
  #mayKeepAlive(status: number): boolean {
    if (this.#decoder.done) return true;
    if (this.#awaitsContinue) return false;
    const left = this.#decoder.bytesLeft;
    return status < 400 || (left !== null && left <= DISCARD_BYTES);
  }
}
