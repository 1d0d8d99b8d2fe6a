// Passes over the extensions of a chunk-size line (RFC 9112 section 7.1.1), which mean nothing to us and are dropped.
// Strict: `;name`, `;name=token` or `;name="quoted"`, without whitespace; counted, alone and over a whole message.
import { FIELD_VALUE_BYTES, TOKEN_BYTES } from '../http/grammar.ts';
import { CHUNK_EXTENSION_TOTAL_BYTES, CHUNK_LINE_BYTES } from './limits.ts';

const QUOTE = 34;
const SEMICOLON = 59;
const EQUALS = 61;
const BACKSLASH = 92;

/** What has been read so far: nothing after `;`, some of a name, nothing after `=`, some of a value, and so on. */
type Place = 'no-name' | 'name' | 'no-value' | 'value' | 'quoted' | 'escaped' | 'unquoted';

export class ChunkExtension {
  #place: Place = 'no-name';
  #lineBytes = 0;
  #totalBytes = 0;

  /** A `;` has ended a chunk size. */
  begin(): void {
    this.#place = 'no-name';
    this.#lineBytes = 0;
  }

  /** Whether a line may end here. */
  get complete(): boolean {
    return this.#place === 'name' || this.#place === 'value' || this.#place === 'unquoted';
  }

  /** Offset of the first byte in buf[start, end) that belongs to no extension, or -1 when there are too many bytes. */
  skip(buf: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const next = after(this.#place, buf[at]!);
      if (next === null) break;
      this.#place = next;
      at++;
    }
    this.#lineBytes += at - start;
    this.#totalBytes += at - start;
    return this.#lineBytes > CHUNK_LINE_BYTES || this.#totalBytes > CHUNK_EXTENSION_TOTAL_BYTES ? -1 : at;
  }
}

/** Where `byte` leads from `place`; null when it may not stand there. */
function after(place: Place, byte: number): Place | null {
  const isToken = TOKEN_BYTES[byte] === 1;
  switch (place) {
    case 'no-name':
      return isToken ? 'name' : null;
    case 'name':
      return isToken ? 'name' : byte === EQUALS ? 'no-value' : byte === SEMICOLON ? 'no-name' : null;
    case 'no-value':
      return isToken ? 'value' : byte === QUOTE ? 'quoted' : null;
    case 'value':
      return isToken ? 'value' : byte === SEMICOLON ? 'no-name' : null;
    case 'quoted':
      if (byte === QUOTE) return 'unquoted';
      return byte === BACKSLASH ? 'escaped' : FIELD_VALUE_BYTES[byte] === 1 ? 'quoted' : null;
    case 'escaped':
      return FIELD_VALUE_BYTES[byte] === 1 ? 'quoted' : null;
    case 'unquoted':
      return byte === SEMICOLON ? 'no-name' : null;
  }
}
