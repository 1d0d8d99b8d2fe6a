// One request to an upstream and its response, on a stream of an HTTP/2 connection (RFC 9113 section 8). Content of the
// response is held while its taker is not ready, within the stream's window.
import type { Expiring } from '../core/deadlines.ts';
import type { PerantaraError } from '../core/errors.ts';
import type { HeaderList } from '../http/header-list.ts';
import { isBodyless, type ResponseHead } from '../http/message.ts';
import type { OutgoingRequest } from '../http/outgoing-request.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import type { ResponseObserver } from '../http/response-observer.ts';
import { blameUpstream, upstreamFault } from '../http/upstream-fault.ts';
import type { ClientStreamServices } from './client-stream-services.ts';
import { ERROR_CODES, resetReason, StreamFault } from './fault.ts';
import { HeldBytes } from './held-bytes.ts';
import { INTERIM_RESPONSES } from './limits.ts';
import type { MessageFields } from './message-fields.ts';
import { firstProtocol, requestList } from './request-list.ts';
import { acceptOf, readResponse } from './response-fields.ts';
import { Stream, type StreamHost } from './stream.ts';

type State = 'head' | 'content' | 'tunnel';

export class ClientStream extends Stream implements RequestCarrier, Expiring {
  deadlineAt = Number.POSITIVE_INFINITY;
  responseStarted = false;
  reused = false;
  readonly #services: ClientStreamServices;
  #request: OutgoingRequest | null = null;
  #observer: ResponseObserver | null = null;
  #state: State = 'head';
  #swept = false;
  #paused = false;
  #bodyless = false;
  #interim = 0;
  /** Content bytes still to come; null when not known. */
  #left: number | null = null;
  readonly #held = new HeldBytes();
  #complete = false;
  /** Whether its taker knows that it is complete. */
  #told = false;
  #trailers: HeaderList | null = null;

  constructor(host: StreamHost, services: ClientStreamServices) {
    super(0, host);
    this.#services = services;
  }

  /** Before it is greeted it may turn out not to be taken. */
  get connected(): boolean {
    return this.#services.greeted;
  }

  /** Whether the final head has come, so that what follows are trailers. */
  get headTaken(): boolean {
    return this.#state !== 'head';
  }

  /** Whether there is nothing more to come by it. */
  get #isWhole(): boolean {
    return this.#complete && this.#state !== 'tunnel';
  }

  /** Resets of a server are no trick. */
  get answered(): boolean {
    return true;
  }

  // For the sender.

  send(request: OutgoingRequest, observer: ResponseObserver): void {
    this.#request = request;
    this.#observer = observer;
    // Refused as one too many, it can be sent again, but not its content; and whether a tunnel may be asked for is to be said.
    const isBare = request.length === 0 && request.upgradeTo === null;
    if (isBare || this.#services.greeted) this.#write(request);
  }

  /** The server's first SETTINGS have come, and there is room for it. */
  onGreeted(): void {
    if (this.streamId === 0 && this.#request !== null && !this.closed) this.#write(this.#request);
    this.#observer?.onConnect();
  }

  /** The connection is up. */
  onConnected(): void {
    this.#updateDeadline();
  }

  /** Content that does not wait for onConnect takes its request along; that of a tunnel has to. */
  #hasBegun(): boolean {
    if (this.streamId === 0 && this.#request?.upgradeTo === null && !this.closed) this.#write(this.#request);
    return this.streamId !== 0;
  }

  #write(request: OutgoingRequest): void {
    if (request.upgradeTo !== null && !this.#services.takesTunnels) {
      this.fail(upstreamFault('upgrade_unsupported', 'the upstream takes no upgrades over HTTP/2'));
      return;
    }
    this.reused = this.#services.open(this) > 0;
    this.sendWindow = this.host.sendWindow;
    const { pseudo, headers, length } = requestList(request, this.#services.scheme);
    this.#services.sweep.add(this);
    this.#swept = true;
    this.sendHeaders(pseudo, headers, length, request.length === 0 && request.upgradeTo === null);
    this.#updateDeadline();
  }

  write(chunk: Buffer): boolean {
    if (!this.#hasBegun()) return true;
    const wantsMore = this.sendData(chunk);
    this.#updateDeadline();
    return wantsMore;
  }

  end(trailers: HeaderList | null): void {
    if (!this.#hasBegun()) return;
    this.sendEnd(trailers);
    this.#updateDeadline();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliver();
    this.#updateDeadline();
  }

  destroy(): void {
    this.#observer = null;
    this.#held.clear();
    if (this.streamId === 0) this.close('reset-by-us');
    else this.reset(ERROR_CODES.CANCEL);
  }

  // For the session.

  /** The fields of a head or of trailers. Throws StreamFault. */
  onFields(fields: MessageFields, ends: boolean): void {
    this.responseStarted = true;
    if (this.remoteEnded) throw new StreamFault('STREAM_CLOSED', 'HEADERS after END_STREAM');
    if (this.#state !== 'head') {
      const trailers = fields.trailers(ends);
      this.onRemoteEnd(this.#bodyless ? null : trailers);
    } else {
      const { head, length } = readResponse(fields);
      if (head.status < 200) this.#takeInterim(head, ends);
      else this.#takeHead(head, length, ends);
    }
    this.#updateDeadline();
  }

  onContent(buf: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#state === 'head') throw new StreamFault('PROTOCOL_ERROR', 'DATA before the head of the response');
    if (this.#bodyless) throw new StreamFault('PROTOCOL_ERROR', 'content where none may be');
    if (this.#left !== null) {
      this.#left -= length;
      if (this.#left < 0) throw new StreamFault('PROTOCOL_ERROR', 'more content than content-length says');
    }
    if (this.#paused || this.#held.length > 0) this.#held.append(buf, start, end);
    else {
      this.#observer?.onResponseData(buf.subarray(start, end));
      this.returnFlow(length, !this.#paused);
      this.#observer?.onResponseIdle();
    }
    this.#updateDeadline();
  }

  onRemoteEnd(trailers: HeaderList | null): void {
    if (this.#state === 'head') throw new StreamFault('PROTOCOL_ERROR', 'an end before the head of the response');
    if (this.#left !== null && this.#left > 0 && !this.#bodyless)
      throw new StreamFault('PROTOCOL_ERROR', 'less content than content-length says');
    this.#complete = true;
    this.#trailers = trailers;
    this.endRemote();
    this.#deliver();
  }

  onPeerReset(errorCode: number): void {
    this.close('reset-by-peer');
    if (this.#isWhole) return; // it may still be on its way to its taker (RFC 9113 section 8.1)
    const isRefused = errorCode === ERROR_CODES.REFUSED_STREAM;
    this.#tellError(upstreamFault(isRefused ? 'upstream_refused' : 'upstream_reset', resetReason(errorCode)));
  }

  /** The upstream has done nothing of it, and will not (RFC 9113 section 6.8). */
  refuse(what: string): void {
    this.close('reset-by-peer');
    this.#tellError(upstreamFault('upstream_refused', what));
  }

  fail(error: Error): void {
    this.close('reset-by-us');
    if (!this.#isWhole)
      this.#tellError(error instanceof StreamFault ? blameUpstream(error) : (error as PerantaraError));
  }

  onDeadline(): void {
    this.deadlineAt = Number.POSITIVE_INFINITY;
    const isLate = this.localEnded && this.#state === 'head';
    const error = isLate
      ? upstreamFault('response_timeout', 'the response took too long')
      : upstreamFault('upstream_stalled', 'the stream stalled');
    this.reset(ERROR_CODES.CANCEL);
    if (!this.#isWhole) this.#tellError(error);
  }

  override close(how: Parameters<Stream['close']>[0]): void {
    if (this.#swept) this.#services.sweep.delete(this);
    this.#swept = false;
    super.close(how);
  }

  protected onSent(): void {
    this.#updateDeadline();
  }

  protected onRoom(): void {
    this.#observer?.onRequestDrain();
    this.#updateDeadline();
  }

  protected onLocalEnd(): void {}

  // The response.

  #takeInterim(head: ResponseHead, ends: boolean): void {
    if (ends) throw new StreamFault('PROTOCOL_ERROR', 'an interim response that ends the stream');
    if (++this.#interim > INTERIM_RESPONSES) throw new StreamFault('PROTOCOL_ERROR', 'too many interim responses');
    // 102 and unknown ones mean nothing to a client that did not ask for them.
    if (head.status === 100 || head.status === 103) this.#observer?.onInformation(head);
  }

  #takeHead(head: ResponseHead, length: number | null, ends: boolean): void {
    const { method, upgradeTo, headers } = this.#request!;
    if (upgradeTo !== null && head.status < 300 && !ends) {
      this.#state = 'tunnel';
      const key = headers.get('sec-websocket-key');
      if (key !== null) head.headers.append('Sec-WebSocket-Accept', acceptOf(key));
      this.#observer?.onUpgrade({ ...head, status: 101 }, firstProtocol(upgradeTo));
      return;
    }
    this.#state = 'content';
    if (upgradeTo !== null) this.sendEnd(null); // a tunnel that is refused has nothing to send
    this.#bodyless = isBodyless(method, head.status);
    if (ends && !this.#bodyless && length !== null && length > 0)
      throw new StreamFault('PROTOCOL_ERROR', 'content-length without content');
    this.#left = length;
    this.#observer?.onResponse(head, ends && !this.#bodyless ? 0 : length);
    if (ends) this.onRemoteEnd(null);
    else this.#observer?.onResponseIdle();
  }

  #deliver(): void {
    while (this.#held.length > 0 && !this.#paused) {
      const chunk = this.#held.take();
      this.#observer?.onResponseData(chunk);
      this.returnFlow(chunk.length, false);
    }
    if (this.#held.length > 0) return;
    if (!this.#complete) this.#observer?.onResponseIdle();
    else if (!this.#paused && !this.#told) {
      this.#told = true;
      const observer = this.#observer;
      if (this.#state !== 'tunnel') this.#observer = null;
      observer?.onResponseEnd(this.#trailers);
    }
  }

  #tellError(error: PerantaraError): void {
    const observer = this.#observer;
    this.#observer = null;
    this.#held.clear();
    observer?.onResponseError(error);
  }

  #updateDeadline(): void {
    if (!this.#swept || this.closed) return;
    const { sweep, timeouts, connected } = this.#services;
    let ms = Number.POSITIVE_INFINITY;
    if (connected && this.#state !== 'tunnel') {
      if (!this.localEnded) ms = this.queuedBytes > 0 ? timeouts.bodyIdleMs : ms;
      else if (this.#state === 'head') ms = timeouts.responseHeadMs;
      else if (!this.#paused) ms = timeouts.bodyIdleMs;
    }
    this.deadlineAt = ms === Number.POSITIVE_INFINITY ? ms : sweep.after(ms);
  }
}
