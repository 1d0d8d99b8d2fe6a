// Fields of a message head or trailer section in the order they came: one flat array, no object per field.
// Names keep their case and are compared without it (RFC 9110 section 5.1). It checks nothing: the codecs do.

export class HeaderList {
  /** name, value, name, value … */
  readonly flat: string[];

  constructor(flat: string[] = []) {
    this.flat = flat;
  }

  /** Number of fields. */
  get size(): number {
    return this.flat.length >> 1;
  }

  append(name: string, value: string): this {
    this.flat.push(name, value);
    return this;
  }

  /** Value of the first field called `name` (given in lower case), or null. */
  get(name: string): string | null {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) if (isNamed(flat[i]!, name)) return flat[i + 1]!;
    return null;
  }

  /** Values of all fields called `name` (given in lower case), joined by `, ` (RFC 9110 section 5.3), or null. */
  getJoined(name: string): string | null {
    const flat = this.flat;
    let joined: string | null = null;
    for (let i = 0; i < flat.length; i += 2) {
      if (isNamed(flat[i]!, name)) joined = joined === null ? flat[i + 1]! : `${joined}, ${flat[i + 1]!}`;
    }
    return joined;
  }

  /** How many fields are called `name` (given in lower case). */
  count(name: string): number {
    const flat = this.flat;
    let count = 0;
    for (let i = 0; i < flat.length; i += 2) if (isNamed(flat[i]!, name)) count++;
    return count;
  }

  /** Keeps the fields that `keep` accepts; in place, order kept. */
  filter(keep: (name: string, value: string) => boolean): void {
    const flat = this.flat;
    let to = 0;
    for (let i = 0; i < flat.length; i += 2) {
      if (!keep(flat[i]!, flat[i + 1]!)) continue;
      if (to !== i) {
        flat[to] = flat[i]!;
        flat[to + 1] = flat[i + 1]!;
      }
      to += 2;
    }
    flat.length = to;
  }
}

function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
