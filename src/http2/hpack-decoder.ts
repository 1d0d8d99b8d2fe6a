// Decodes header blocks (RFC 7541 sections 3 and 6). Strict: what the RFC calls a decoding error is one. An indexed field is
// handed on as the object that the table holds; only literals make new ones. Limits on lists are the sink's affair: a block
// can name a field of the table again with each of its bytes.
import { latin1 } from '../core/latin1.ts';
import { ConnectionFault } from './fault.ts';
import { Field } from './field.ts';
import { DynamicTable } from './hpack-dynamic-table.ts';
import { STATIC_FIELDS, STATIC_LENGTH } from './hpack-static-table.ts';
import { decodeHuffman } from './huffman-decoder.ts';

/** Takes the fields of a block in their order. Must not throw: the rest of the block changes the table too. */
export interface FieldSink {
  onField(field: Field): void;
}

/** First bytes of the representations (RFC 7541 section 6). */
const INDEXED = 0x80;
const LITERAL_INDEXED = 0x40;
const SIZE_UPDATE = 0x20;
const NEVER_INDEXED = 0x10;
const HUFFMAN = 0x80;

/** Bytes of an integer after its prefix: enough for 35 bits, while nothing here may be longer than 32. */
const MAX_CONTINUATION_BYTES = 5;
/** RFC 7541 section 4.2: the smallest size since the last block, then the size. */
const MAX_SIZE_UPDATES = 2;

export class HpackDecoder {
  readonly #table: DynamicTable<Field>;
  readonly #maxTableBytes: number;
  /** Where an integer or a string ended. */
  #at = 0;

  /** `maxTableBytes`: what our SETTINGS allow. */
  constructor(maxTableBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DynamicTable(maxTableBytes);
  }

  /** Bytes that the entries of the table count for (RFC 7541 section 4.1); never more than `maxTableBytes`. */
  get tableBytes(): number {
    return this.#table.size;
  }

  /** Decodes a whole block buf[start, end). Throws ConnectionFault COMPRESSION_ERROR, and is of no use after that. */
  decode(buf: Buffer, start: number, end: number, sink: FieldSink): void {
    let at = this.#sizeUpdates(buf, start, end);
    while (at < end) {
      const first = buf[at++]!;
      if (first >= INDEXED) {
        let index = first & 0x7f;
        if (index === 0x7f) {
          index = this.#integer(buf, at, end, 0x7f);
          at = this.#at;
        }
        sink.onField(this.#indexed(index));
        continue;
      }
      if (first < LITERAL_INDEXED && first >= SIZE_UPDATE) throw fault('a table size update after a field');
      const prefix = first >= LITERAL_INDEXED ? 0x3f : 0x0f;
      let index = first & prefix;
      if (index === prefix) {
        index = this.#integer(buf, at, end, prefix);
        at = this.#at;
      }
      let name: string;
      if (index === 0) {
        name = this.#string(buf, at, end);
        at = this.#at;
      } else name = this.#indexed(index).name;
      const value = this.#string(buf, at, end);
      at = this.#at;
      const field = new Field(name, value, first >= NEVER_INDEXED && first < SIZE_UPDATE);
      if (first >= LITERAL_INDEXED) this.#table.add(field);
      sink.onField(field);
    }
  }

  /** Those at the start of a block; returns where they end. */
  #sizeUpdates(buf: Buffer, start: number, end: number): number {
    let at = start;
    for (let count = 1; at < end && (buf[at]! & 0xe0) === SIZE_UPDATE; count++) {
      if (count > MAX_SIZE_UPDATES) throw fault(`more than ${MAX_SIZE_UPDATES} table size updates`);
      let bytes = buf[at++]! & 0x1f;
      if (bytes === 0x1f) {
        bytes = this.#integer(buf, at, end, 0x1f);
        at = this.#at;
      }
      if (bytes > this.#maxTableBytes) throw fault(`a table of ${bytes} bytes, more than ${this.#maxTableBytes}`);
      this.#table.limit = bytes;
    }
    return at;
  }

  #indexed(index: number): Field {
    if (index > STATIC_LENGTH) {
      const age = index - STATIC_LENGTH - 1;
      if (age < this.#table.length) return this.#table.at(age);
    } else if (index > 0) return STATIC_FIELDS[index]!;
    throw fault(`index ${index}, which no table has`);
  }

  /** What follows a prefix of which all bits are set; leaves its end in #at. */
  #integer(buf: Buffer, start: number, end: number, prefix: number): number {
    let value = prefix;
    const last = start + MAX_CONTINUATION_BYTES;
    for (let at = start, scale = 1; at < end; scale *= 0x80) {
      if (at === last) throw fault('an integer that is too long');
      const byte = buf[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#at = at;
        return value;
      }
    }
    throw truncated();
  }

  /** Leaves its end in #at. */
  #string(buf: Buffer, start: number, end: number): string {
    if (start >= end) throw truncated();
    const first = buf[start]!;
    let at = start + 1;
    let length = first & 0x7f;
    if (length === 0x7f) {
      length = this.#integer(buf, at, end, 0x7f);
      at = this.#at;
    }
    if (length > end - at) throw truncated();
    this.#at = at + length;
    if (length === 0) return '';
    return first >= HUFFMAN ? decodeHuffman(buf, at, at + length) : latin1(buf, at, at + length);
  }
}

function truncated(): ConnectionFault {
  return fault('a header block that ends inside a field');
}

function fault(what: string): ConnectionFault {
  return new ConnectionFault('COMPRESSION_ERROR', what);
}
