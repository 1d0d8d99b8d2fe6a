// Encodes header blocks (RFC 7541 section 6). What repeats is put into the dynamic table, what must stay secret never, what
// hardly repeats is written out each time. Hot: a list's fields are looked at where they stand in its text.
import { latin1, writeLatin1 } from '../core/latin1.ts';
import type { HeaderList } from '../http/header-list.ts';
import { DEFAULT_TABLE_BYTES } from './frame.ts';
import { type EncoderEntry, EncoderTable, MAX_PLACES } from './hpack-encoder-table.ts';
import { FieldName } from './hpack-field-name.ts';
import { MAX_INTEGER_BYTES, writeInteger } from './hpack-integer.ts';
import { knownName, spelledName } from './hpack-known-names.ts';
import { STATIC_LENGTH } from './hpack-static-table.ts';
import { writePlain, writeShortest } from './hpack-string.ts';

/** First bytes of the representations (RFC 7541 section 6), and the largest values of their prefixes. */
const INDEXED = 0x80;
const LITERAL_INDEXED = 0x40;
const SIZE_UPDATE = 0x20;
const NEVER_INDEXED = 0x10;
const LITERAL = 0x00;

/** A value that stays out of the table is Huffman-coded from this length on. That takes some 2 ns a character, which is ten times
 * what they take as they are, and saves a quarter of them. */
const HUFFMAN_CHARS = 512;

/** Bytes that a field needs at most beside its name and value: three integers. */
const FIELD_BYTES = 16;
const UPDATES_BYTES = 2 * MAX_INTEGER_BYTES;

/** Bytes that `begin` and `fields` need at most. */
export function roomFor(headers: HeaderList): number {
  const { marks } = headers;
  let bytes = UPDATES_BYTES;
  for (let i = 0; i < marks.length; i += 3) bytes += marks[i + 2]! - marks[i]! + FIELD_BYTES;
  return bytes;
}

export class HpackEncoder {
  readonly #maxTableBytes: number;
  readonly #table: EncoderTable;
  /** What the peer was told last; its table's size is that of ours. */
  #announced = DEFAULT_TABLE_BYTES;
  /** The smallest size since then. */
  #smallest = DEFAULT_TABLE_BYTES;

  /** Most that is used of what the peer offers; DEFAULT_TABLE_BYTES at first, or less. */
  constructor(maxTableBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new EncoderTable(DEFAULT_TABLE_BYTES);
    this.resize(DEFAULT_TABLE_BYTES);
  }

  /** `peerTableBytes`: the peer's SETTINGS_HEADER_TABLE_SIZE. The next `begin` says what we make of it. */
  resize(peerTableBytes: number): void {
    const bytes = Math.min(peerTableBytes, this.#maxTableBytes);
    this.#smallest = Math.min(this.#smallest, bytes);
    this.#table.limit = bytes;
  }

  /** Starts a block. Returns the offset reached, as all of these do. */
  begin(out: Buffer, at: number): number {
    const { limit } = this.#table;
    if (this.#smallest === this.#announced && limit === this.#announced) return at;
    let to = at;
    if (this.#smallest < limit && this.#smallest < this.#announced)
      to = writeInteger(out, to, SIZE_UPDATE, 0x1f, this.#smallest);
    this.#announced = limit;
    this.#smallest = limit;
    return writeInteger(out, to, SIZE_UPDATE, 0x1f, limit);
  }

  /** `name`: in lower case. `isNeverIndexed`: it is not to be in any table on the way. */
  field(out: Buffer, at: number, name: string, value: string, isNeverIndexed = false): number {
    const fieldName = this.#fieldName(name);
    if (isNeverIndexed) return this.#unindexed(out, at, NEVER_INDEXED, fieldName, value, 0, value.length);
    const index = fieldName.indexOf(value, 0, value.length);
    if (index > 0) return writeInteger(out, at, INDEXED, 0x7f, index);
    const newest = this.#table.newest(fieldName);
    const entry = this.#table.find(newest, value, 0, value.length);
    if (entry !== null) return this.#reference(out, at, entry);
    return this.#literal(out, at, fieldName, newest, value, 0, value.length);
  }

  fields(out: Buffer, at: number, headers: HeaderList): number {
    const { text, marks, neverIndexed } = headers;
    const table = this.#table;
    let to = at;
    for (let i = 0, place = 0; i < marks.length; i += 3, place++) {
      const start = marks[i]!;
      const nameEnd = marks[i + 1]!;
      const end = marks[i + 2]!;
      const expected = neverIndexed === null ? table.expected(place) : null;
      if (expected !== null && expected.line.length === end - start && text.slice(start, end) === expected.line) {
        to = this.#reference(out, to, expected);
        continue;
      }
      const name = spelledName(text, start, nameEnd) ?? this.#fieldName(text.slice(start, nameEnd).toLowerCase());
      if (neverIndexed?.has(name.lower)) {
        to = this.#unindexed(out, to, NEVER_INDEXED, name, text, nameEnd + 2, end);
        continue;
      }
      const index = name.indexOf(text, nameEnd + 2, end);
      if (index > 0) {
        to = writeInteger(out, to, INDEXED, 0x7f, index);
        continue;
      }
      const newest = table.newest(name);
      const entry = table.find(newest, text, nameEnd + 2, end);
      if (entry !== null) {
        if (entry.line === '') entry.line = copyOf(text.slice(start, end), out, to);
        if (place < MAX_PLACES) table.expect(place, entry);
        to = this.#reference(out, to, entry);
      } else to = this.#literal(out, to, name, newest, text, nameEnd + 2, end);
    }
    return to;
  }

  #fieldName(lower: string): FieldName {
    return knownName(lower) ?? this.#table.newestOther(lower)?.name ?? new FieldName(lower);
  }

  #reference(out: Buffer, at: number, entry: EncoderEntry): number {
    entry.isUsed = true;
    return writeInteger(out, at, INDEXED, 0x7f, this.#indexOf(entry));
  }

  /** The value is text[from, to). `newest`: of the entries with this name. */
  #literal(
    out: Buffer,
    at: number,
    name: FieldName,
    newest: EncoderEntry | null,
    text: string,
    from: number,
    to: number,
  ): number {
    if (!this.#table.isWorthwhile(name, newest, to - from))
      return this.#unindexed(out, at, name.isSensitive ? NEVER_INDEXED : LITERAL, name, text, from, to);
    const end = this.#name(out, at, LITERAL_INDEXED, 0x3f, name, newest);
    const value = copyOf(text.slice(from, to), out, end);
    this.#table.insert(name, value);
    return writeShortest(out, end, value);
  }

  #unindexed(out: Buffer, at: number, flags: number, name: FieldName, text: string, from: number, to: number): number {
    const end = this.#name(out, at, flags, 0x0f, name, this.#table.newest(name));
    if (to - from < HUFFMAN_CHARS) return writePlain(out, end, text, from, to);
    return writeShortest(out, end, text.slice(from, to));
  }

  /** The first byte of a literal and its name, which is referred to if a table has it. */
  #name(out: Buffer, at: number, flags: number, prefix: number, name: FieldName, newest: EncoderEntry | null): number {
    if (name.staticIndex !== 0) return writeInteger(out, at, flags, prefix, name.staticIndex);
    if (newest !== null) return writeInteger(out, at, flags, prefix, this.#indexOf(newest));
    out[at] = flags;
    return writeShortest(out, at + 1, name.lower);
  }

  #indexOf(entry: EncoderEntry): number {
    return STATIC_LENGTH + this.#table.added - entry.number;
  }
}

/** A part of a text keeps the whole of it in memory; its copy does not. Made where there is room for it as a literal. */
function copyOf(part: string, out: Buffer, at: number): string {
  return latin1(out, at, at + writeLatin1(out, part, at));
}
