// What a head says about its connection and its framing, taken out of the fields in one pass: neither is ever forwarded
// (RFC 9110 section 7.6.1), and each codec writes its own. Hot: fields of no meaning here are not turned into strings.
import { connectionName } from './connection-name.ts';
import { listElements } from './grammar.ts';
import type { HeaderList } from './header-list.ts';

const NO_OPTIONS: readonly string[] = [];
const KEEP_ALIVE: readonly string[] = ['keep-alive'];

/** Values are those of the first field, or of all joined by `, ` where the field is a list; null without one. */
export class ConnectionFields {
  /** Elements of Connection in lower case. */
  options: readonly string[] = NO_OPTIONS;
  contentLength: string | null = null;
  contentLengths = 0;
  transferEncoding: string | null = null;
  transferEncodings = 0;
  keepAlive: string | null = null;
  te: string | null = null;
  upgrade: string | null = null;
  #connection: string | null = null;

  /** Removes hop-by-hop fields, those that `Connection` names (never Host, RFC 9112 section 3.2), and framing fields. */
  static take(headers: HeaderList): ConnectionFields {
    const fields = new ConnectionFields();
    headers.filter((text, start, end, valueEnd) => fields.#passOver(text, start, end, valueEnd));
    fields.#readOptions(headers);
    return fields;
  }

  /** Reads the field; whether it is to stay. */
  #passOver(text: string, start: number, end: number, valueEnd: number): boolean {
    const name = connectionName(text, start, end);
    if (name === null) return true;
    const value = text.slice(end + 2, valueEnd);
    switch (name) {
      case 'connection':
        this.#connection = joined(this.#connection, value);
        break;
      case 'content-length':
        this.contentLength ??= value;
        this.contentLengths++;
        break;
      case 'transfer-encoding':
        this.transferEncoding ??= value;
        this.transferEncodings++;
        break;
      case 'keep-alive':
        this.keepAlive = joined(this.keepAlive, value);
        break;
      case 'te':
        this.te = joined(this.te, value);
        break;
      case 'upgrade':
        this.upgrade = joined(this.upgrade, value);
        break;
    }
    return false;
  }

  #readOptions(headers: HeaderList): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (connection === 'keep-alive') {
      this.options = KEEP_ALIVE;
      return;
    }
    this.options = listElements(connection);
    const named = new Set(this.options);
    named.delete('host');
    headers.filter((text, start, end) => !named.has(text.slice(start, end).toLowerCase()));
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

/** Removes trailer fields that must not come after content (RFC 9110 section 6.5.1): framing, routing, authentication. */
export function stripTrailers(trailers: HeaderList): void {
  trailers.filter(
    (text, start, end) =>
      connectionName(text, start, end) === null && !NOT_IN_TRAILERS.has(text.slice(start, end).toLowerCase()),
  );
}

const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'host',
  'trailer',
  'expect',
  'range',
  'content-encoding',
  'content-type',
  'content-range',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'max-forwards',
]);
