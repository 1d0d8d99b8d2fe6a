// Header blocks read as RFC 7541 says, with a decoder that shares nothing with src/: it judges what our encoder writes.
import { fromHuffman } from './h2-huffman.ts';

/** Appendix A: a name, and after a space its value. */
const STATIC: readonly (readonly [string, string])[] = `
:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204
|:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset|accept-encoding gzip, deflate
|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control
|content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type
|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since
|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after
|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
  .replaceAll('\n', '')
  .split('|')
  .map((entry) => /^(\S+) ?(.*)$/.exec(entry)!.slice(1) as [string, string]);

export class HeaderDecoder {
  /** What our SETTINGS allow; the sender's table begins with no more. */
  #limit = 4_096;
  #capacity = 4_096;
  #size = 0;
  readonly #table: (readonly [string, string])[] = [];
  /** Since the limit was lowered the sender has to say so first (RFC 7541 section 4.2). */
  #mustShrink = false;
  #buf: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Called when the peer has acknowledged SETTINGS_HEADER_TABLE_SIZE. */
  limit(bytes: number): void {
    this.#limit = bytes;
    this.#mustShrink = this.#capacity > bytes;
  }

  /** Throws an error that says what is wrong with the block. */
  decode(block: Buffer): (readonly [string, string])[] {
    this.#buf = block;
    this.#at = 0;
    const fields: (readonly [string, string])[] = [];
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if ((first & 0xe0) === 0x20) {
        if (fields.length > 0) throw new Error('a table size update behind a field');
        this.#resize(this.#integer(5));
        continue;
      }
      if (this.#mustShrink) throw new Error('no table size update after a smaller SETTINGS_HEADER_TABLE_SIZE');
      fields.push(this.#field(first));
    }
    return fields;
  }

  #field(first: number): readonly [string, string] {
    if (first >= 0x80) return this.#entry(this.#integer(7));
    const isIncremental = (first & 0x40) !== 0;
    const index = this.#integer(isIncremental ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    const field = [name, this.#string()] as const;
    if (isIncremental) {
      this.#table.unshift(field);
      this.#size += sizeOf(field);
      this.#evict();
    }
    return field;
  }

  #resize(bytes: number): void {
    if (bytes > this.#limit) throw new Error(`a table size update to ${bytes} where ${this.#limit} is allowed`);
    this.#capacity = bytes;
    this.#mustShrink = false;
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#capacity) this.#size -= sizeOf(this.#table.pop()!);
  }

  #entry(index: number): readonly [string, string] {
    const entry = index <= STATIC.length ? STATIC[index - 1] : this.#table[index - STATIC.length - 1];
    if (entry === undefined) throw new Error(`no entry ${index} in the tables`);
    return entry;
  }

  #string(): string {
    const isHuffman = (this.#byte() & 0x80) !== 0;
    this.#at--;
    const length = this.#integer(7);
    if (length > this.#buf.length - this.#at) throw new Error('a string that goes beyond its block');
    const coded = this.#buf.subarray(this.#at, this.#at + length);
    this.#at += length;
    return isHuffman ? fromHuffman(coded) : coded.toString('latin1');
  }

  #integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let weight = 1; ; weight *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * weight;
      if (value > 2 ** 32) throw new Error('an integer that is too large');
      if (byte < 0x80) return value;
    }
  }

  #byte(): number {
    const byte = this.#buf[this.#at++];
    if (byte === undefined) throw new Error('a header block that is cut off');
    return byte;
  }
}

function sizeOf([name, value]: readonly [string, string]): number {
  return name.length + value.length + 32;
}
