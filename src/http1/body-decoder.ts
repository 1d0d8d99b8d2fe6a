// Takes the content of one message off the wire (RFC 9112 sections 6 and 7): fixed length, chunked, or until close.
// Pieces are handed on as they come, without copying; chunk extensions are counted and dropped; it never buffers content.
import { PerantaraError } from '../core/errors.ts';
import type { HeaderList } from '../http/header-list.ts';
import { stripTrailers } from '../http/hop-by-hop.ts';
import { ChunkExtension } from './chunk-extension.ts';
import type { Framing } from './framing.ts';
import { type FieldSection, parseFields } from './head-parser.ts';
import { HeadReader } from './head-reader.ts';
import { TRAILER_LIMITS } from './limits.ts';

export interface BodyConsumer {
  /** A view of the bytes given to `decode`. Returning is not consent to more: see `decode`. */
  onContent(chunk: Buffer): void;
  onContentEnd(trailers: HeaderList | null): void;
}

type State =
  | 'length'
  | 'close'
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailers'
  | 'done';

const CR = 13;
const LF = 10;
/** 13 hexadecimal digits hold every safe integer's worth of bytes and more than any disk. */
const SIZE_DIGITS = 13;

export class BodyDecoder {
  #state: State;
  /** Content bytes left of the message or of the current chunk. */
  #left = 0;
  #digits = 0;
  #contentBytes = 0;
  /** Made when the first one comes; it counts them all. */
  #extension: ChunkExtension | null = null;
  #trailers: HeadReader<FieldSection> | null = null;

  constructor(framing: Framing) {
    this.#state = framing === 'close' ? 'close' : framing === 'chunked' ? 'size' : framing === 0 ? 'done' : 'length';
    if (typeof framing === 'number') this.#left = framing;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Content bytes handed on so far. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** Bytes known to be still to come; null when not known. */
  get bytesLeft(): number | null {
    return this.#state === 'length' ? this.#left : this.#state === 'done' ? 0 : null;
  }

  /**
   * Consumes buf[start, end) up to the end of the content and returns the offset reached. Hands on at most one piece
   * of content per call, so that the caller can stop in between. Throws PerantaraError for malformed framing.
   */
  decode(buf: Buffer, start: number, end: number, consumer: BodyConsumer): number {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case 'length':
        case 'data': {
          const take = Math.min(this.#left, end - at);
          this.#left -= take;
          const isLast = this.#left === 0 && this.#state === 'length';
          if (isLast) this.#state = 'done';
          else if (this.#left === 0) this.#state = 'data-cr';
          this.#give(buf, at, at + take, consumer);
          if (isLast) consumer.onContentEnd(null);
          return at + take;
        }
        case 'close':
          this.#give(buf, at, end, consumer);
          return end;
        case 'size':
          at = this.#readSize(buf, at, end);
          break;
        case 'extension':
          at = this.#skipExtension(buf, at, end);
          break;
        case 'size-lf':
          if (buf[at++] !== LF) throw malformed('chunk size line end');
          this.#endSizeLine();
          break;
        case 'data-cr':
          if (buf[at++] !== CR) throw malformed('chunk end');
          this.#state = 'data-lf';
          break;
        case 'data-lf':
          if (buf[at++] !== LF) throw malformed('chunk end');
          this.#state = 'size';
          break;
        case 'trailers':
          return this.#readTrailers(buf, at, end, consumer);
        case 'done':
          return at;
      }
    }
    return at;
  }

  /** The connection ended. Returns whether that completes the content (until-close framing only). */
  finish(): boolean {
    if (this.#state === 'close') this.#state = 'done';
    return this.#state === 'done';
  }

  #give(buf: Buffer, from: number, to: number, consumer: BodyConsumer): void {
    this.#contentBytes += to - from;
    consumer.onContent(buf.subarray(from, to));
  }

  #readSize(buf: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end) {
      const digit = hexValue(buf[at]!);
      if (digit === -1) break;
      if (++this.#digits > SIZE_DIGITS) throw malformed('chunk size is too large');
      this.#left = this.#left * 16 + digit;
      at++;
    }
    if (at === end) return at;
    if (this.#digits === 0) throw malformed('chunk size');
    const byte = buf[at]!;
    if (byte === CR) this.#state = 'size-lf';
    else if (byte === 59) this.#beginExtension();
    else throw malformed('chunk size');
    return at + 1;
  }

  #beginExtension(): void {
    this.#state = 'extension';
    this.#extension ??= new ChunkExtension();
    this.#extension.begin();
  }

  #skipExtension(buf: Buffer, from: number, end: number): number {
    const at = this.#extension!.skip(buf, from, end);
    if (at === -1) throw malformed('chunk extension: too long');
    if (at === end) return at;
    if (buf[at] !== CR || !this.#extension!.complete) throw malformed('chunk extension');
    this.#state = 'size-lf';
    return at + 1;
  }

  #endSizeLine(): void {
    this.#digits = 0;
    if (this.#left > 0) {
      this.#state = 'data';
      return;
    }
    this.#state = 'trailers';
    this.#trailers = new HeadReader(parseTrailers, TRAILER_LIMITS);
  }

  #readTrailers(buf: Buffer, at: number, end: number, consumer: BodyConsumer): number {
    const reader = this.#trailers!;
    const section = reader.read(buf, at, end);
    if (section === null) return end;
    this.#state = 'done';
    this.#trailers = null;
    stripTrailers(section.headers);
    consumer.onContentEnd(section.headers.size === 0 ? null : section.headers);
    return reader.endAt;
  }
}

function parseTrailers(buf: Buffer, start: number, end: number): FieldSection | null {
  return parseFields(buf, start, end, start, TRAILER_LIMITS);
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function malformed(what: string): PerantaraError {
  return new PerantaraError(`cannot read message content: bad ${what}`, { code: 'bad_request', source: 'downstream' });
}
