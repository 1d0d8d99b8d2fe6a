// What has come on one stream of HTTP/2: heads, content, trailers, and how it ended.
import { type Code, DATA, END_STREAM, type Frame, HEADERS, RST_STREAM } from './h2-frames.ts';
import type { FieldPair } from './h2-headers.ts';

export class H2Message {
  readonly stream: number;
  /** Of each 1xx. */
  readonly informational: (readonly FieldPair[])[] = [];
  /** All fields of the head, pseudo-fields too; null: it has not come. */
  fields: readonly FieldPair[] | null = null;
  trailers: readonly FieldPair[] | null = null;
  /** Bytes of content so far. */
  received = 0;
  /** END_STREAM has come. */
  ended = false;
  reset: Code | `0x${string}` | null = null;
  readonly #chunks: Buffer[] = [];

  constructor(stream: number) {
    this.stream = stream;
  }

  /** DATA, HEADERS whose block is whole, and RST_STREAM. */
  add(frame: Frame): void {
    if (frame.type === RST_STREAM) this.reset ??= frame.code;
    if (frame.type === DATA) {
      this.#chunks.push(frame.content);
      this.received += frame.content.length;
    }
    if (frame.type === HEADERS && frame.fields !== null) {
      if (this.fields !== null) this.trailers = frame.fields;
      else if (/^1/.test(firstValue(frame.fields, ':status') ?? '')) this.informational.push(frame.fields);
      else this.fields = frame.fields;
    }
    if ((frame.type === DATA || frame.type === HEADERS) && frame.has(END_STREAM)) this.ended = true;
  }

  /** NaN when there is none. */
  get status(): number {
    return Number(this.value(':status'));
  }

  get content(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The content, one character per byte. */
  get body(): string {
    return this.content.toString('latin1');
  }

  /** Of the first such field of the head; names are lower case. */
  value(name: string): string | undefined {
    return firstValue(this.fields ?? [], name);
  }

  /** Of all such fields of the head. */
  values(name: string): string[] {
    return (this.fields ?? []).filter(([known]) => known === name).map(([, value]) => value);
  }
}

function firstValue(fields: readonly FieldPair[], name: string): string | undefined {
  return fields.find(([known]) => known === name)?.[1];
}
