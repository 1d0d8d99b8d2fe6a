// Encodes header blocks (RFC 7541 section 6). What repeats is put into the dynamic table, what must stay secret never, what
// hardly repeats is written out each time. Hot: a list's fields are looked at where they stand in its text.
import { latin1 } from '../core/latin1.ts';
import type { HeaderList } from '../http/header-list.ts';
import { DEFAULT_TABLE_BYTES } from './frame.ts';
import { type EncoderEntry, EncoderTable } from './hpack-encoder-table.ts';
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

/** A literal that is written again and again is Huffman-coded from this length on: below, the time is worth more than the bytes. */
const HUFFMAN_CHARS = 128;

/** How many entries with one name are compared, the newest ones. */
const MAX_COMPARED = 16;

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
  guesses: any[] = [];
  found: any;
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
    if (this.#smallest < limit) to = writeInteger(out, to, SIZE_UPDATE, 0x1f, this.#smallest);
    this.#announced = this.#smallest = limit;
    return writeInteger(out, to, SIZE_UPDATE, 0x1f, limit);
  }

  /** `name`: in lower case. */
  field(out: Buffer, at: number, name: string, value: string): number {
    return this.#field(out, at, knownName(name) ?? this.#otherName(name), value, 0, value.length);
  }

  fields(out: Buffer, at: number, headers: HeaderList): number {
    const { text, marks } = headers;
    let to = at;
    for (let i = 0; i < marks.length; i += 3) {
      const start = marks[i]!;
      const end = marks[i + 1]!;
      const guess = this.guesses[i];
      if (
        guess !== undefined &&
        guess.line.length === marks[i + 2]! - start &&
        guess.number >= this.#table.added - this.#table.length &&
        text.slice(start, marks[i + 2]!) === guess.line
      ) {
        guess.isUsed = true;
        to = writeInteger(out, to, INDEXED, 0x7f, this.#indexOf(guess));
        continue;
      }
      const name = spelledName(text, start, end) ?? this.#anyName(text.slice(start, end).toLowerCase());
      this.found = undefined;
      to = this.#field(out, to, name, text, end + 2, marks[i + 2]!);
      if (this.found !== undefined) {
        this.found.line ||= Buffer.from(text.slice(start, marks[i + 2]!)).toString('latin1');
        this.guesses[i] = this.found;
      }
    }
    return to;
  }

  #anyName(lower: string): FieldName {
    return knownName(lower) ?? this.#otherName(lower);
  }

  #otherName(lower: string): FieldName {
    return this.#table.other(lower)?.name ?? new FieldName(lower);
  }

  /** The value is text[from, to). */
  #field(out: Buffer, at: number, name: FieldName, text: string, from: number, to: number): number {
    const length = to - from;
    const { staticFields } = name;
    if (staticFields !== null)
      for (let i = 0; i < staticFields.length; i++)
        if (staticFields[i]!.value.length === length && text.slice(from, to) === staticFields[i]!.value)
          return writeInteger(out, at, INDEXED, 0x7f, name.staticIndex + i);
    const newest = name.tries === 0 ? null : this.#table.newest(name);
    let inVain = 0;
    let compared = 0;
    for (let entry = newest; entry !== null && compared < MAX_COMPARED; entry = entry.older) {
      if (entry.value.length === length && text.slice(from, to) === entry.value) {
        entry.isUsed = true;
        this.found = entry;
        return writeInteger(out, at, INDEXED, 0x7f, this.#indexOf(entry));
      }
      if (!entry.isUsed && inVain === compared) inVain++;
      compared++;
    }
    if (inVain < name.tries && this.#table.isWorthwhile(name, length)) {
      const end = this.#name(out, at, LITERAL_INDEXED, 0x3f, name, newest);
      const plainEnd = writePlain(out, end, text, from, to);
      const value = latin1(out, plainEnd - length, plainEnd);
      this.#table.insert(name, value);
      return writeShortest(out, end, value);
    }
    const end = this.#name(out, at, name.isSensitive ? NEVER_INDEXED : LITERAL, 0x0f, name, newest);
    if (length < HUFFMAN_CHARS) return writePlain(out, end, text, from, to);
    return writeShortest(out, end, text.slice(from, to));
  }

  /** The first byte of a literal and its name, which is referred to if a table has it. */
  #name(out: Buffer, at: number, flags: number, prefix: number, name: FieldName, known: EncoderEntry | null): number {
    if (name.staticIndex !== 0) return writeInteger(out, at, flags, prefix, name.staticIndex);
    if (known !== null) return writeInteger(out, at, flags, prefix, this.#indexOf(known));
    out[at] = flags;
    return writeShortest(out, at + 1, name.lower);
  }

  #indexOf(entry: EncoderEntry): number {
    return STATIC_LENGTH + this.#table.added - entry.number;
  }
}
