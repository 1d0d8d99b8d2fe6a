// A field name as the HPACK encoder knows it: where the static table has it, and whether its values are worth a place in the
// dynamic table.
import type { Field } from './field.ts';

/** Enough for the types of content of a page's parts. */
const USUAL_TRIES = 8;

/** The static table's fields with one name. */
export interface StaticName {
  /** Of the first one; 0: there is none. */
  readonly index: number;
  /** Those that have a value, from `index` on; null: none has. */
  readonly fields: readonly Field[] | null;
}

const NOT_STATIC: StaticName = { index: 0, fields: null };

export class FieldName {
  readonly lower: string;
  /** As HTTP/1.1 programs usually write it. */
  readonly usual: string;
  /** Its place among the known names; -1: it is none of them. */
  readonly id: number;
  readonly staticIndex: number;
  readonly #staticFields: readonly Field[] | null;
  /** So many of its values, the last ones that came into the table, may have been of no use there; then no more come in. */
  readonly tries: number;
  /** Its values are never to be in any table on the way (RFC 7541 section 7.1.3); `tries` is 0 then. */
  readonly isSensitive: boolean;

  constructor(usual: string, id = -1, inStatic = NOT_STATIC, tries = USUAL_TRIES, isSensitive = false) {
    this.lower = usual.toLowerCase();
    this.usual = usual;
    this.id = id;
    this.staticIndex = inStatic.index;
    this.#staticFields = inStatic.fields;
    this.tries = tries;
    this.isSensitive = isSensitive;
  }

  /** Of the static table's field with this name whose value is text[from, to), or 0. */
  indexOf(text: string, from: number, to: number): number {
    const fields = this.#staticFields;
    if (fields === null) return 0;
    for (let i = 0; i < fields.length; i++)
      if (fields[i]!.value.length === to - from && text.slice(from, to) === fields[i]!.value)
        return this.staticIndex + i;
    return 0;
  }
}
