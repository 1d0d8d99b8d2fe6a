// Fields of a message head or trailer section in the order they came. Kept as they are written, `Name: value` CRLF, in one
// text with three numbers a field: most fields of most messages pass through without becoming a string of their own.
// Names keep their case and are compared without it (RFC 9110 section 5.1). It checks nothing: the codecs do. Hot: no
// string per field unless somebody asks for one.

/** Whether the field is to be kept whose name is text[start, end) and whose value is text[end + 2, valueEnd). */
export type FieldTest = (text: string, start: number, end: number, valueEnd: number) => boolean;

export class HeaderList {
  /** Names, in lower case, of fields and pseudo-fields that their sender wants in no compression table on the way (RFC 7541
   * section 6.2.3); null: none. */
  neverIndexed: ReadonlySet<string> | null = null;
  #text = '';
  /** For each field, where in the text its name begins and ends and its value ends; `: ` stands between the two. */
  #marks: number[] = [];

  /** `flat`: name, value, name, value … */
  constructor(flat: readonly string[] = []) {
    for (let i = 0; i + 1 < flat.length; i += 2) this.append(flat[i]!, flat[i + 1]!);
  }

  /** Takes over a text of lines and its marks, three for each field. */
  static written(text: string, marks: number[]): HeaderList {
    const list = new HeaderList();
    list.#text = text;
    list.#marks = marks;
    return list;
  }

  /** The lines, of which some may have been removed: `marks` says which are left. Not to be changed. */
  get text(): string {
    return this.#text;
  }

  /** For each field, where in `text` its name begins and ends and its value ends; `: ` stands between the two. */
  get marks(): readonly number[] {
    return this.#marks;
  }

  /** Number of fields. */
  get size(): number {
    return this.#marks.length / 3;
  }

  /** A copy: name, value, name, value … */
  get flat(): string[] {
    const flat: string[] = [];
    for (let i = 0; i < this.#marks.length; i += 3) flat.push(this.#name(i), this.#value(i));
    return flat;
  }

  append(name: string, value: string): this {
    const start = this.#text.length;
    const nameEnd = start + name.length;
    this.#text += `${name}: ${value}\r\n`;
    this.#marks.push(start, nameEnd, nameEnd + 2 + value.length);
    return this;
  }

  /** Value of the first field called `name` (given in lower case), or null. */
  get(name: string): string | null {
    const marks = this.#marks;
    for (let i = 0; i < marks.length; i += 3) if (this.#isNamed(i, name)) return this.#value(i);
    return null;
  }

  /** Values of all fields called `name` (given in lower case), joined by `, ` (RFC 9110 section 5.3), or null. */
  getJoined(name: string): string | null {
    let joined: string | null = null;
    for (let i = 0; i < this.#marks.length; i += 3) {
      if (this.#isNamed(i, name)) joined = joined === null ? this.#value(i) : `${joined}, ${this.#value(i)}`;
    }
    return joined;
  }

  /** How many fields are called `name` (given in lower case). */
  count(name: string): number {
    let count = 0;
    for (let i = 0; i < this.#marks.length; i += 3) if (this.#isNamed(i, name)) count++;
    return count;
  }

  /** Keeps the fields that `keep` accepts; in place, order kept. */
  filter(keep: FieldTest): void {
    const marks = this.#marks;
    const text = this.#text;
    let to = 0;
    for (let i = 0; i < marks.length; i += 3) {
      if (!keep(text, marks[i]!, marks[i + 1]!, marks[i + 2]!)) continue;
      if (to !== i) {
        marks[to] = marks[i]!;
        marks[to + 1] = marks[i + 1]!;
        marks[to + 2] = marks[i + 2]!;
      }
      to += 3;
    }
    while (marks.length > to) marks.pop(); // setting the length is a call out of compiled code
  }

  /** Removes all fields called `name` (given in lower case). */
  remove(name: string): void {
    this.filter((text, start, end) => text.slice(start, end).toLowerCase() !== name);
  }

  /** Field lines, each ending in CRLF, without the empty line. */
  write(): string {
    const marks = this.#marks;
    const text = this.#text;
    let written = '';
    for (let i = 0; i < marks.length; ) {
      const from = marks[i]!;
      let to = marks[i + 2]! + 2;
      for (i += 3; i < marks.length && marks[i] === to; i += 3) to = marks[i + 2]! + 2;
      written += text.slice(from, to);
    }
    return written;
  }

  #isNamed(i: number, lower: string): boolean {
    const start = this.#marks[i]!;
    if (this.#marks[i + 1]! - start !== lower.length) return false;
    return (this.#text.charCodeAt(start) | 0x20) === lower.charCodeAt(0) && this.#name(i).toLowerCase() === lower;
  }

  #name(i: number): string {
    return this.#text.slice(this.#marks[i]!, this.#marks[i + 1]!);
  }

  #value(i: number): string {
    return this.#text.slice(this.#marks[i + 1]! + 2, this.#marks[i + 2]!);
  }
}
