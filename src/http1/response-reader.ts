// Reads the responses of one upstream connection, one after another: interim heads, final head, content, trailers, and
// whether the connection may serve again afterwards (RFC 9112 sections 6.3, 9.3). No sockets. Hot:
// it may allocate per response, never per field or piece of content.
import { listElements } from '../http/grammar.ts';
import type { HeaderList } from '../http/header-list.ts';
import { ConnectionFields } from '../http/hop-by-hop.ts';
import { isBodyless } from '../http/message.ts';
import type { ResponseParts } from '../http/response-observer.ts';
import { type BodyConsumer, BodyDecoder } from './body-decoder.ts';
import { contentLength, responseFraming } from './framing.ts';
import { type ParsedResponse, parseResponseHead } from './head-parser.ts';
import { HeadReader } from './head-reader.ts';
import { INTERIM_RESPONSES, RESPONSE_LIMITS } from './limits.ts';

export type ReaderState = 'idle' | 'head' | 'content' | 'done' | 'upgraded';

export class ResponseReader implements BodyConsumer {
  state: ReaderState = 'idle';
  /** Whether another response may follow the current one. */
  keepAlive = true;
  trailers: HeaderList | null = null;
  /** Idle limit the upstream announced (`Keep-Alive: timeout`), in milliseconds; Infinity without. */
  announcedIdleMs = Number.POSITIVE_INFINITY;
  /** Pieces of content handed on so far, of all responses. */
  pieces = 0;
  readonly #reader = new HeadReader(parseResponseHead, RESPONSE_LIMITS);
  #decoder: BodyDecoder | null = null;
  #parts: ResponseParts | null = null;
  #method = '';
  #upgradeTo: string | null = null;
  #interim = 0;

  /** Expects the response to a request with `method` that asks for `upgradeTo`. */
  begin(method: string, upgradeTo: string | null, parts: ResponseParts): void {
    this.state = 'head';
    this.trailers = null;
    this.#parts = parts;
    this.#method = method;
    this.#upgradeTo = upgradeTo;
    this.#interim = 0;
  }

  /** Takes buf[at…] up to the next part's end; returns the offset reached. Throws PerantaraError for what is malformed. */
  step(buf: Buffer, at: number): number {
    if (this.state === 'content') return this.#decoder!.decode(buf, at, buf.length, this);
    const parsed = this.#reader.read(buf, at, buf.length);
    if (parsed === null) return buf.length;
    const end = this.#reader.endAt;
    if (parsed.status >= 200) this.#takeFinalHead(parsed);
    else if (parsed.status === 101) this.#takeUpgrade(parsed);
    else this.#takeInterim(parsed);
    return end;
  }

  /** The upstream closed its side. Returns whether that completes the response. */
  finish(): boolean {
    if (this.state !== 'content' || !this.#decoder!.finish()) return false;
    this.keepAlive = false;
    this.state = 'done';
    return true;
  }

  onContent(chunk: Buffer): void {
    this.pieces++;
    this.#parts!.onResponseData(chunk);
  }

  onContentEnd(trailers: HeaderList | null): void {
    this.state = 'done';
    this.trailers = trailers;
  }

  #takeInterim(parsed: ParsedResponse): void {
    if (++this.#interim > INTERIM_RESPONSES) throw new Error('cannot accept more interim responses');
    // Framing means nothing here, but one that is malformed has been written by nobody who is to be trusted with more.
    responseFraming(parsed.version, ConnectionFields.take(parsed.headers), true);
    // 102 and unknown ones mean nothing to a client that did not ask for them.
    if (parsed.status === 100 || parsed.status === 103) this.#parts!.onInformation(parsed);
  }

  #takeFinalHead(parsed: ParsedResponse): void {
    const { version, headers, status } = parsed;
    const bodyless = isBodyless(this.#method, status);
    const own = ConnectionFields.take(headers);
    const framing = responseFraming(version, own, bodyless);
    const persists = version === '1.0' ? own.options.includes('keep-alive') : !own.options.includes('close');
    // Content that is declared where none may be could still come, and would be taken for the next answer.
    const isFalse204 = status === 204 && (own.transferEncoding !== null || (contentLength(own) ?? 0) > 0);
    this.keepAlive = persists && framing !== 'close' && !isFalse204;
    if (own.keepAlive !== null) this.#readAnnouncedIdle(own.keepAlive);
    const length = bodyless ? contentLength(own) : typeof framing === 'number' ? framing : null;
    if (framing === 0) this.state = 'done';
    else {
      this.state = 'content';
      this.#decoder = new BodyDecoder(framing);
    }
    this.#parts!.onResponse(parsed, length);
  }

  #takeUpgrade(parsed: ParsedResponse): void {
    const own = ConnectionFields.take(parsed.headers);
    responseFraming(parsed.version, own, true);
    const protocol = own.upgrade;
    if (this.#upgradeTo === null || protocol === null) throw new Error('cannot accept 101: no upgrade was asked for');
    const asked = listElements(this.#upgradeTo);
    const chosen = listElements(protocol);
    if (chosen.length === 0 || !chosen.every((name) => asked.includes(name)))
      throw new Error('cannot accept 101: not for the protocol that was asked for'); // RFC 9110 section 7.8
    this.state = 'upgraded';
    this.keepAlive = false;
    this.#parts!.onUpgrade(parsed, protocol);
  }

  #readAnnouncedIdle(field: string): void {
    const seconds = /\btimeout=(\d{1,6})/.exec(field)?.[1];
    // One second less: a request must not cross the upstream's FIN on the way.
    if (seconds !== undefined) this.announcedIdleMs = Math.max(0, Number(seconds) * 1_000 - 1_000);
  }
}
