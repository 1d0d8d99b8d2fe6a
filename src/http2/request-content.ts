// The content of one request on its way to who takes it: handed on as it comes, held while it is not wanted yet, counted
// against what was declared and what is allowed.
import type { PerantaraError } from '../core/errors.ts';
import type { ExchangeObserver } from '../http/exchange.ts';
import { contentTooLarge } from '../http/exchange-fault.ts';
import type { HeaderList } from '../http/header-list.ts';
import { StreamFault } from './fault.ts';
import { HeldBytes } from './held-bytes.ts';

/** The stream that the content comes by. */
export interface ContentSource {
  /** Who takes it; null when nobody does any more. */
  readonly taker: ExchangeObserver | null;
  returnFlow(bytes: number, fast: boolean): void;
  answerError(error: PerantaraError): void;
  /** The taker has thrown. */
  onThrown(thrown: unknown): void;
}

export class RequestContent {
  paused = false;
  readonly #source: ContentSource;
  /** By content-length, or null. */
  readonly #declared: number | null;
  #receiving = false;
  #limitBytes = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #dropped = false;
  /** What came before it was wanted; the stream's window bounds it. */
  readonly #held = new HeldBytes();
  #complete = false;
  #trailers: HeaderList | null = null;

  constructor(source: ContentSource, declared: number | null) {
    this.#source = source;
    this.#declared = declared;
  }

  /** How much has come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all of it has come, and not all of it has been handed on. */
  get isOwed(): boolean {
    return this.#complete && !this.#dropped;
  }

  /** Whether more would be taken now. */
  get wanted(): boolean {
    return this.#receiving && !this.paused && !this.#dropped;
  }

  /** Throws `body_too_large` when the declared length is over the limit. */
  limit(bytes: number): void {
    this.#limitBytes = bytes;
    if (this.#declared !== null && this.#declared > bytes) throw contentTooLarge(bytes);
  }

  /** The taker is ready for it. */
  receive(): void {
    this.#receiving = true;
    this.deliver();
  }

  /** Takes buf[start, end), lent for the call. Throws StreamFault when it is more than was declared. */
  take(buf: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#bytes += length;
    if (this.#declared !== null && this.#bytes > this.#declared)
      throw new StreamFault('PROTOCOL_ERROR', 'more content than content-length says');
    if (this.#dropped) {
      this.#source.returnFlow(length, false);
      return;
    }
    if (this.#bytes > this.#limitBytes) {
      this.#source.answerError(contentTooLarge(this.#limitBytes));
      return;
    }
    if (!this.wanted || this.#held.length > 0) {
      this.#held.append(buf, start, end);
      return;
    }
    this.#tellData(buf.subarray(start, end));
    this.#source.returnFlow(length, !this.paused);
  }

  /** END_STREAM has come. Throws StreamFault when it is less than was declared. */
  end(): void {
    if (this.#declared !== null && this.#bytes !== this.#declared)
      throw new StreamFault('PROTOCOL_ERROR', 'less content than content-length says');
  }

  /** All of it has come. */
  finish(trailers: HeaderList | null): void {
    this.#complete = true;
    this.#trailers = trailers;
    this.deliver();
  }

  /** Hands on what is held, while it is wanted. */
  deliver(): void {
    while (this.#held.length > 0 && this.wanted) {
      const chunk = this.#held.take();
      this.#tellData(chunk);
      this.#source.returnFlow(chunk.length, false);
    }
    if (!this.#complete || !this.wanted || this.#held.length > 0) return;
    this.#complete = false;
    try {
      this.#source.taker?.onEnd(this.#trailers);
    } catch (thrown) {
      this.#source.onThrown(thrown);
    }
  }

  /** Nobody takes it any more. */
  drop(): void {
    this.#dropped = true;
    this.#source.returnFlow(this.#held.length, false);
    this.#held.clear();
  }

  #tellData(chunk: Buffer): void {
    try {
      this.#source.taker?.onData(chunk);
    } catch (thrown) {
      this.#source.onThrown(thrown);
    }
  }
}
