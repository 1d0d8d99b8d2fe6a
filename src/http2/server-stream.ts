// One request and response on a stream of an HTTP/2 connection (RFC 9113 section 8). Content of the request is held while
// its taker is not ready, within the stream's window; the response leaves as windows and the socket allow.
import { PerantaraError } from '../core/errors.ts';
import { clientGone, tooSlow, tunnelIdle, unexpected } from '../http/downstream-fault.ts';
import type { Client, Exchange, ExchangeObserver } from '../http/exchange.ts';
import { respondedTwice, wrongLength } from '../http/exchange-fault.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { LINGER_MS, patienceMs, type ServerTimeouts } from '../http/grace.ts';
import type { HeaderList } from '../http/header-list.ts';
import { isBodyless, type RequestHead, type ResponseHead } from '../http/message.ts';
import { sendError } from '../http/plain-response.ts';
import { newRequestId } from '../http/request-id.ts';
import { ERROR_CODES } from './fault.ts';
import { LateRequest } from './late-request.ts';
import { RequestContent } from './request-content.ts';
import type { IncomingRequest } from './request-fields.ts';
import { STATUS_FIELDS } from './status-fields.ts';
import type { Stream, StreamHost } from './stream.ts';
import { type StreamTiming, TimedStream } from './timed-stream.ts';

/** What the streams of a server session share. */
export interface ServerStreamServices extends StreamTiming {
  readonly client: Client;
  readonly records: ExchangeFeed;
  /** A fault of our own while handling a request. */
  readonly onFault: (error: PerantaraError) => void;
}

export class ServerStream extends TimedStream implements Exchange {
  readonly request: RequestHead;
  readonly requestLength: number | null;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
  record: ExchangeRecord | null;
  responded = false;
  tunnelling = false;
  readonly #services: ServerStreamServices;
  readonly #content: RequestContent;
  #observer: ExchangeObserver | null = null;
  #id: string | null = null;
  #bodyless = false;
  /** Whether the response has been given to its end, or broken off. */
  #ended = false;
  /** Content bytes of the response still to be given; null when not known. */
  #left: number | null = null;
  /** Since the response is complete and the request is not. */
  #late: LateRequest | null = null;

  constructor(streamId: number, host: StreamHost, incoming: IncomingRequest, services: ServerStreamServices) {
    super(streamId, host, services);
    this.#services = services;
    const { head, method, target } = incoming;
    this.request = head;
    this.record = services.records.begin(services.client, method, target, '2.0', head.host || null, head.headers);
    this.requestLength = incoming.length;
    this.upgradeTo = incoming.upgradeTo;
    this.acceptsTrailers = incoming.acceptsTrailers;
    this.#content = new RequestContent(this, incoming.upgradeTo === null ? incoming.length : null);
  }

  get id(): string {
    this.#id ??= newRequestId();
    return this.#id;
  }

  get client(): Client {
    return this.#services.client;
  }

  get answered(): boolean {
    return this.responded;
  }

  // For the handler: request content.

  observe(observer: ExchangeObserver): void {
    this.#observer = observer;
  }

  limitRequest(bytes: number): void {
    this.#content.limit(bytes);
  }

  receive(): void {
    this.#content.receive();
    this.updateDeadline();
  }

  pause(): void {
    this.#content.paused = true;
  }

  resume(): void {
    if (!this.#content.paused) return;
    this.#content.paused = false;
    this.#content.deliver();
    this.updateDeadline();
  }

  // For the handler: the response.

  inform(head: ResponseHead): void {
    if (this.responded || this.closed) return;
    if (head.status !== 100 && this.host.output.blocked) return; // a hint is for whoever reads it
    this.sendHeaders(STATUS_FIELDS[head.status]!, head.headers, null);
  }

  respond(head: ResponseHead, length: number | null): void {
    if (this.responded) throw respondedTwice();
    this.responded = true;
    if (this.closed) return;
    const isRefusedUpgrade = this.upgradeTo !== null && head.status >= 200 && head.status < 300;
    // To an extended CONNECT 2xx says that the tunnel stands (RFC 8441 section 5), which it does not.
    const status = isRefusedUpgrade ? 502 : head.status;
    this.record?.respond(status, head.headers);
    this.#bodyless = isBodyless(this.request.method, status);
    if (!this.#bodyless) this.#left = length;
    this.sendHeaders(STATUS_FIELDS[status]!, head.headers, status === 204 ? null : length);
  }

  upgrade(head: ResponseHead, _protocol: string): void {
    this.responded = true;
    this.tunnelling = true;
    if (this.closed) return;
    this.record?.respond(200, head.headers);
    head.headers.remove('sec-websocket-accept'); // RFC 8441 section 5.1
    this.sendHeaders(STATUS_FIELDS[200]!, head.headers, null);
    this.updateDeadline();
  }

  write(chunk: Buffer): boolean {
    if (this.#ended || this.#bodyless) return true;
    if (this.#left !== null) this.#left -= chunk.length;
    if (this.record !== null) this.record.responseBytes += chunk.length;
    const wantsMore = this.sendData(chunk);
    // While both may still talk, the word of one is a sign of life for both.
    if (!wantsMore || !this.remoteEnded) this.updateDeadline();
    return wantsMore;
  }

  flush(): void {
    this.host.output.flushLater();
  }

  end(trailers: HeaderList | null): void {
    if (this.#ended) return;
    if (this.#left !== null && this.#left !== 0) {
      this.abort(wrongLength());
      return;
    }
    this.#ended = true;
    if (this.record !== null) this.record.trailers = trailers;
    if (!this.tunnelling) this.#content.drop();
    this.sendEnd(this.#bodyless ? null : trailers);
    if (!this.closed) this.updateDeadline();
  }

  abort(error: PerantaraError): void {
    this.#observer = null;
    if (this.#ended && !this.tunnelling) return;
    this.#ended = true;
    this.#content.drop();
    this.reset(this.tunnelling ? ERROR_CODES.CONNECT_ERROR : ERROR_CODES.INTERNAL_ERROR);
    this.#over(error);
    this.updateDeadline();
  }

  // For the session.

  /** END_STREAM was on the head of the request. */
  startEnded(): void {
    this.remoteEnded = true;
    this.#content.finish(null);
  }

  /** The handler has thrown: that ends its stream, and no other. */
  onThrown(thrown: unknown): void {
    const error = thrown instanceof PerantaraError ? thrown : unexpected(thrown);
    this.answerError(error);
    if (error.source === 'internal') this.#services.onFault(error);
  }

  /** Answers in the handler's place, or breaks off what it has begun; the handler hears of it. */
  answerError(error: PerantaraError): void {
    const observer = this.#observer;
    this.#observer = null;
    this.#content.drop();
    this.record?.note(error);
    if (!this.#ended || this.tunnelling) observer?.onAbort(error);
    if (this.responded) {
      this.reset(error.source === 'internal' ? ERROR_CODES.INTERNAL_ERROR : ERROR_CODES.CANCEL);
      this.#over(error);
    } else sendError(this, error);
  }

  onContent(buf: Buffer, start: number, end: number): void {
    this.#content.take(buf, start, end);
    if (this.#late !== null) {
      if (this.#late.isTooMuch(end - start)) this.reset(ERROR_CODES.NO_ERROR);
      return;
    }
    if (!this.earnByTaken(end - start, this.responded || this.tunnelling)) return;
    if (this.queuedBytes === 0 || this.tunnelling) this.updateDeadline();
  }

  onRemoteEnd(trailers: HeaderList | null): void {
    this.#content.end();
    this.endRemote();
    this.#content.finish(trailers);
    this.updateDeadline();
  }

  onPeerReset(errorCode: number): void {
    this.close('reset-by-peer');
    this.fail(clientGone(`by RST_STREAM ${errorCode}`));
  }

  fail(error: Error): void {
    const observer = this.#observer;
    this.#observer = null;
    const wasEnded = this.#ended && !this.tunnelling;
    this.#ended = true;
    this.#content.drop();
    this.close('reset-by-us');
    this.updateDeadline();
    this.#over(error as PerantaraError);
    if (!wasEnded) observer?.onAbort(error as PerantaraError);
  }

  onDeadline(): void {
    if (this.#late !== null) {
      this.reset(ERROR_CODES.NO_ERROR);
      return;
    }
    const isBlocked = this.queuedBytes > 0;
    if (isBlocked && this.sendWindow > 0 && this.host.pump.window > 0) {
      this.updateDeadline(); // it waits for its turn, not for its client
      return;
    }
    this.deadlineAt = Number.POSITIVE_INFINITY;
    if (!isBlocked && !this.tunnelling) {
      this.answerError(tooSlow('request content'));
      return;
    }
    this.reset(ERROR_CODES.CANCEL);
    this.fail(isBlocked ? clientGone('or does not take its response') : tunnelIdle());
  }

  override close(how: Parameters<Stream['close']>[0]): void {
    if (this.record !== null) this.record.responseBytes -= this.queuedBytes; // which nobody will see
    super.close(how);
    this.updateDeadline();
    if (how === 'ended') this.#over(null);
  }

  // For the content of the request.

  /** The one who takes it now, or null. */
  get taker(): ExchangeObserver | null {
    return this.#observer;
  }

  protected onRoom(): void {
    try {
      if (!this.#ended) this.#observer?.onDrain();
    } catch (thrown) {
      this.onThrown(thrown);
    }
    this.updateDeadline();
  }

  protected onLocalEnd(): void {
    if (this.tunnelling) return;
    this.#over(null);
    this.#late = new LateRequest(this.host.output);
    this.updateDeadline();
  }
  #over(error: PerantaraError | null): void {
    const { record } = this;
    if (record === null) return;
    this.record = null;
    record.id = this.#id;
    record.requestBytes = this.#content.bytes;
    record.over(error);
  }

  protected patienceMs(timeouts: ServerTimeouts): number | null {
    const { tunnelling } = this;
    // What came by a tunnel that is over may still be on its way to the upstream.
    if (this.closed && !(tunnelling && this.#content.isOwed)) return null;
    if (this.#late !== null) return LINGER_MS;
    const wantsInput = !this.remoteEnded && this.#content.wanted;
    return patienceMs({ tunnelling, wantsInput }, this.queuedBytes > 0, timeouts);
  }
}
