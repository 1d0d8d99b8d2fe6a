// One header field as HPACK's tables keep it. What it is found to mean is remembered with it, so that a field that is
// repeated in each of a connection's requests is looked at once.

/** RFC 7541 section 4.1. */
const OVERHEAD_BYTES = 32;

export class Field {
  readonly name: string;
  /** One character per byte, as the name. */
  readonly value: string;
  /** Bytes it counts for in a table and in a list (RFC 7541 section 4.1, RFC 9113 section 6.5.2). */
  readonly size: number;
  /** Whether whoever sent it forbade that any table ever holds it (RFC 7541 section 6.2.3): it is passed on in that way. */
  readonly isNeverIndexed: boolean;
  /** What field-kind.ts found it to be; 0: not looked at yet. The same for requests, responses and trailers. */
  kind = 0;

  #line = '';
  #firstCode = -1;

  constructor(name: string, value: string, isNeverIndexed = false) {
    this.name = name;
    this.value = value;
    this.isNeverIndexed = isNeverIndexed;
    this.size = name.length + value.length + OVERHEAD_BYTES;
  }

  /** `name: value` CRLF, as http/HeaderList keeps it. */
  get line(): string {
    if (this.#line === '') this.#line = `${this.name}: ${this.value}\r\n`;
    // A text that was put together becomes one piece when it is asked for a character; whoever repeats it copies that faster.
    else if (this.#firstCode < 0) this.#firstCode = this.#line.charCodeAt(0);
    return this.#line;
  }
}
