// What the HPACK encoder remembers of what it has written: the dynamic table, and its entries by name. Nothing is held until
// the first entry comes.
import { DynamicTable } from './hpack-dynamic-table.ts';
import type { FieldName } from './hpack-field-name.ts';
import { KNOWN_NAMES } from './hpack-known-names.ts';

/** RFC 7541 section 4.1. */
const OVERHEAD_BYTES = 32;

export class EncoderEntry {
  readonly name: FieldName;
  readonly value: string;
  line = '';
  readonly size: number;
  /** How many entries were added before it. */
  readonly number: number;
  /** Whether it has been referred to. */
  isUsed = false;
  /** The next older and the next newer entry with the same name. */
  older: EncoderEntry | null;
  newer: EncoderEntry | null = null;

  constructor(name: FieldName, value: string, number: number, older: EncoderEntry | null) {
    this.name = name;
    this.value = value;
    this.size = name.lower.length + value.length + OVERHEAD_BYTES;
    this.number = number;
    this.older = older;
  }
}

export class EncoderTable extends DynamicTable<EncoderEntry> {
  /** The newest entry of each known name, by its id. */
  #known: (EncoderEntry | null)[] | null = null;
  /** The newest entry of each other name. */
  #others: Map<string, EncoderEntry> | null = null;

  newest(name: FieldName): EncoderEntry | null {
    if (name.id >= 0) return this.#known === null ? null : this.#known[name.id]!;
    return this.other(name.lower);
  }

  /** The same for a name that is not a known one. */
  other(lower: string): EncoderEntry | null {
    return this.#others?.get(lower) ?? null;
  }

  /** Whether a field is small enough that others stay beside it. */
  isWorthwhile(name: FieldName, valueLength: number): boolean {
    return (name.lower.length + valueLength + OVERHEAD_BYTES) * 2 <= this.limit;
  }

  /** The value is kept: it must not be a part of a longer text. `size`: at most `limit`. */
  insert(name: FieldName, value: string): void {
    // Makes room before it asks for the newest one, which may have to go.
    this.makeRoom(name.lower.length + value.length + OVERHEAD_BYTES);
    const older = this.newest(name);
    const entry = new EncoderEntry(name, value, this.added, older);
    if (older !== null) older.newer = entry;
    this.#setNewest(name, entry);
    this.add(entry);
  }

  protected override dropped(entry: EncoderEntry): void {
    const { newer } = entry;
    if (newer === null) this.#setNewest(entry.name, null);
    else newer.older = null;
  }

  #setNewest(name: FieldName, entry: EncoderEntry | null): void {
    if (name.id >= 0) {
      this.#known ??= new Array(KNOWN_NAMES).fill(null);
      this.#known[name.id] = entry;
    } else if (entry === null) this.#others?.delete(name.lower);
    else {
      this.#others ??= new Map();
      this.#others.set(name.lower, entry);
    }
  }
}
