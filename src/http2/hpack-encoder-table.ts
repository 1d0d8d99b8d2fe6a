// What the HPACK encoder remembers of what it has written: the dynamic table, its entries by name, and which entry each place
// of a list was written as last time. Nothing is held before the first entry comes, nor for entries that are gone.
import { DynamicTable } from './hpack-dynamic-table.ts';
import type { FieldName } from './hpack-field-name.ts';
import { KNOWN_NAMES } from './hpack-known-names.ts';

/** RFC 7541 section 4.1. */
const OVERHEAD_BYTES = 32;

/** How many entries with one name are compared, the newest ones. */
const MAX_COMPARED = 8;

/** The first so many fields of a list are looked for where they were last time. */
export const MAX_PLACES = 64;

export class EncoderEntry {
  readonly name: FieldName;
  readonly value: string;
  readonly size: number;
  /** How many entries were added before it. */
  readonly number: number;
  /** The next older and the next newer entry with the same name. */
  older: EncoderEntry | null;
  newer: EncoderEntry | null = null;
  /** Whether it has been of use. */
  isUsed = false;
  /** `Name: value`, as it stood in a list; '' until it has been of use there. Not a part of a longer text. */
  line = '';
  /** Where in lists it was last, or -1. */
  place = -1;

  constructor(name: FieldName, value: string, number: number, older: EncoderEntry | null) {
    this.name = name;
    this.value = value;
    this.size = entrySize(name, value.length);
    this.number = number;
    this.older = older;
  }
}

export class EncoderTable extends DynamicTable<EncoderEntry> {
  /** The newest entry of each known name, by its id. */
  #known: (EncoderEntry | null)[] | null = null;
  /** The newest entry of each other name. */
  #others: Map<string, EncoderEntry> | null = null;
  readonly #places: (EncoderEntry | null)[] = [];

  newest(name: FieldName): EncoderEntry | null {
    if (name.id < 0) return this.newestOther(name.lower);
    return this.#known === null ? null : this.#known[name.id]!;
  }

  /** Of a name that is not a known one. */
  newestOther(lower: string): EncoderEntry | null {
    return this.#others?.get(lower) ?? null;
  }

  /** The entry whose value is text[from, to), among `newest` and those of the same name. */
  find(newest: EncoderEntry | null, text: string, from: number, to: number): EncoderEntry | null {
    const length = to - from;
    for (let entry = newest, left = MAX_COMPARED; entry !== null && left > 0; entry = entry.older, left--)
      if (entry.value.length === length && text.slice(from, to) === entry.value) return entry;
    return null;
  }

  /** Whether it is likely enough that a new value comes again, judged by the last ones, and others have room beside it. */
  isWorthwhile(name: FieldName, newest: EncoderEntry | null, valueLength: number): boolean {
    if (entrySize(name, valueLength) * 2 > this.limit) return false;
    let untried = name.tries;
    for (let entry = newest; untried > 0 && entry !== null && !entry.isUsed; entry = entry.older) untried--;
    return untried > 0;
  }

  /** The value is kept: it must not be a part of a longer text. Not for what is larger than the limit. */
  insert(name: FieldName, value: string): void {
    const older = this.newest(name);
    const entry = new EncoderEntry(name, value, this.added, older);
    if (older !== null) older.newer = entry;
    this.#setNewest(name, entry);
    this.add(entry);
  }

  /** The entry that the field at this place of a list was last time, or null. */
  expected(place: number): EncoderEntry | null {
    return place < this.#places.length ? this.#places[place]! : null;
  }

  /** `place`: below MAX_PLACES. An entry is expected at one place. */
  expect(place: number, entry: EncoderEntry): void {
    this.#forget(entry);
    while (this.#places.length <= place) this.#places.push(null);
    this.#places[place] = entry;
    entry.place = place;
  }

  protected override dropped(entry: EncoderEntry): void {
    const { newer } = entry;
    if (newer === null) this.#setNewest(entry.name, null);
    else newer.older = null;
    this.#forget(entry);
  }

  #forget(entry: EncoderEntry): void {
    if (entry.place >= 0 && this.#places[entry.place] === entry) this.#places[entry.place] = null;
  }

  #setNewest(name: FieldName, entry: EncoderEntry | null): void {
    if (name.id >= 0) {
      this.#known ??= new Array(KNOWN_NAMES).fill(null);
      this.#known[name.id] = entry;
      return;
    }
    this.#others ??= new Map();
    if (entry === null) this.#others.delete(name.lower);
    else this.#others.set(name.lower, entry);
  }
}

function entrySize(name: FieldName, valueLength: number): number {
  return name.lower.length + valueLength + OVERHEAD_BYTES;
}
