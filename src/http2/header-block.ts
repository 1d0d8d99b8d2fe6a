// Puts together the header block that HEADERS and CONTINUATION frames carry (RFC 9113 section 4.3). The usual one, whole in one
// frame, is decoded where it lies and never comes here.
import { ConnectionFault } from './fault.ts';
import { BLOCK_BYTES, BLOCK_CONTINUATIONS } from './limits.ts';

export class HeaderBlock {
  readonly streamId: number;
  /** Whether END_STREAM was on its HEADERS. */
  readonly ends: boolean;
  /** Whether its priority made it depend on itself, which is malformed. */
  readonly selfDependent: boolean;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(streamId: number, ends: boolean, selfDependent: boolean) {
    this.streamId = streamId;
    this.ends = ends;
    this.selfDependent = selfDependent;
  }

  /** Copies a fragment. Throws ConnectionFault when there are too many, or too many bytes. */
  append(buf: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > BLOCK_BYTES) throw new ConnectionFault('ENHANCE_YOUR_CALM', 'a header block that is too large');
    if (this.#parts.length > BLOCK_CONTINUATIONS)
      throw new ConnectionFault('ENHANCE_YOUR_CALM', 'too many CONTINUATION');
    this.#parts.push(Buffer.from(buf.subarray(start, end)));
  }

  get whole(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
