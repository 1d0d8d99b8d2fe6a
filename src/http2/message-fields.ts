// Gathers the fields of one message or trailer section as HPACK decodes them: pseudo-fields apart, the others as lines of an
// http/HeaderList, what belongs to the connection taken out, cookie crumbs joined (RFC 9113 sections 8.2 and 8.3). Hot: a
// field that a table holds costs one concatenation and three numbers. Whatever is wrong, the block is read to its end.
import { HeaderList } from '../http/header-list.ts';
import { stripTrailers } from '../http/hop-by-hop.ts';
import { StreamFault } from './fault.ts';
import type { Field } from './field.ts';
import {
  AUTHORITY,
  CONTENT_LENGTH,
  COOKIE,
  EXPECT,
  HOP,
  HOST,
  kindOf,
  MALFORMED,
  METHOD,
  PATH,
  PRIORITY_FIELD,
  PROTOCOL,
  SCHEME,
  STATUS,
  TE_TRAILERS,
} from './field-kind.ts';
import type { FieldSink } from './hpack-decoder.ts';
import type { ListLimits } from './limits.ts';

export class MessageFields implements FieldSink {
  method: string | null = null;
  scheme: string | null = null;
  authority: string | null = null;
  path: string | null = null;
  protocol: string | null = null;
  status: string | null = null;
  host: string | null = null;
  contentLength: string | null = null;
  expect: string | null = null;
  /** RFC 9218; it stays among the fields too. */
  priority: string | null = null;
  acceptsTrailers = false;
  /** Why the message is malformed, or null. */
  fault: string | null = null;
  /** Whether it is over a limit; fields beyond have been dropped. */
  tooLarge = false;
  readonly #limits: ListLimits;
  readonly #wantsHost: boolean;
  #text = '';
  readonly #marks: number[] = [];
  #cookie: string | null = null;
  #neverIndexed: Set<string> | null = null;
  #bytes = 0;
  #regular = false;

  /** `wantsHost`: whether the list begins with a Host made of `:authority`, as HTTP/1.1 has it. */
  constructor(limits: ListLimits, wantsHost: boolean) {
    this.#limits = limits;
    this.#wantsHost = wantsHost;
  }

  /** Whether there was any pseudo-field. */
  get hasPseudo(): boolean {
    const { method, scheme, authority, path, protocol, status } = this;
    return (method ?? scheme ?? authority ?? path ?? protocol ?? status) !== null;
  }

  onField(field: Field): void {
    this.#bytes += field.size;
    if (this.#bytes > this.#limits.listBytes) this.tooLarge = true;
    if (this.tooLarge) return;
    if (field.isNeverIndexed) {
      this.#neverIndexed ??= new Set();
      this.#neverIndexed.add(field.name);
    }
    const kind = kindOf(field);
    if (kind >= METHOD) this.#takePseudo(kind, field.value);
    else {
      if (!this.#regular) this.#begin();
      this.#takeRegular(kind, field);
    }
  }

  /** All fields that are not pseudo-fields, framing or of this connection; once. */
  headers(): HeaderList {
    if (!this.#regular) this.#begin();
    if (this.#cookie !== null) this.#line('cookie', this.#cookie);
    const list = HeaderList.written(this.#text, this.#marks);
    list.neverIndexed = this.#neverIndexed;
    return list;
  }

  /** As the trailer section that ends a message, without what must not come after content; null: empty. Throws StreamFault. */
  trailers(ends: boolean): HeaderList | null {
    if (!ends) throw new StreamFault('PROTOCOL_ERROR', 'trailers that do not end the stream');
    if (this.fault !== null || this.hasPseudo || this.tooLarge)
      throw new StreamFault('PROTOCOL_ERROR', 'its trailers are malformed');
    const trailers = this.headers();
    stripTrailers(trailers);
    return trailers.size === 0 ? null : trailers;
  }

  #begin(): void {
    this.#regular = true;
    if (this.#wantsHost && this.authority !== null) this.#line('Host', this.authority);
  }

  #takePseudo(kind: number, value: string): void {
    if (this.#regular) this.fault ??= 'a pseudo-field after other fields';
    switch (kind) {
      case METHOD:
        if (this.method !== null) this.fault ??= 'two :method';
        this.method = value;
        break;
      case SCHEME:
        if (this.scheme !== null) this.fault ??= 'two :scheme';
        this.scheme = value;
        break;
      case AUTHORITY:
        if (this.authority !== null) this.fault ??= 'two :authority';
        this.authority = value;
        break;
      case PATH:
        if (this.path !== null) this.fault ??= 'two :path';
        this.path = value;
        break;
      case PROTOCOL:
        if (this.protocol !== null) this.fault ??= 'two :protocol';
        this.protocol = value;
        break;
      case STATUS:
        if (this.status !== null) this.fault ??= 'two :status';
        this.status = value;
        break;
    }
  }

  #takeRegular(kind: number, field: Field): void {
    switch (kind) {
      case MALFORMED:
        this.fault ??= 'a field that may not be in HTTP/2';
        return;
      case HOP:
        return;
      case HOST:
        if (this.host !== null) this.fault ??= 'two host fields';
        this.host = field.value;
        if (this.#wantsHost && this.authority === null) this.#line('Host', field.value);
        return;
      case COOKIE:
        this.#cookie = this.#cookie === null ? field.value : `${this.#cookie}; ${field.value}`;
        return;
      case CONTENT_LENGTH:
        if (this.contentLength !== null) this.fault ??= 'two content-length fields';
        this.contentLength = field.value;
        return;
      case TE_TRAILERS:
        this.acceptsTrailers = true;
        return;
      case EXPECT:
        this.expect = this.expect === null ? field.value : `${this.expect}, ${field.value}`;
        return;
      case PRIORITY_FIELD:
        this.priority = this.priority === null ? field.value : `${this.priority}, ${field.value}`;
        break;
    }
    if (this.#marks.length >= this.#limits.fields * 3) {
      this.tooLarge = true;
      return;
    }
    const start = this.#text.length;
    const nameEnd = start + field.name.length;
    this.#text += field.line;
    this.#marks.push(start, nameEnd, nameEnd + 2 + field.value.length);
  }

  #line(name: string, value: string): void {
    const start = this.#text.length;
    const nameEnd = start + name.length;
    this.#text += `${name}: ${value}\r\n`;
    this.#marks.push(start, nameEnd, nameEnd + 2 + value.length);
  }
}
