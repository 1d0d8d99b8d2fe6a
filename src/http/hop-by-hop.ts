// What a head says about its connection and its framing, taken out of the fields in one pass: neither is ever forwarded
// (RFC 9110 section 7.6.1), and each codec writes its own. On the hot path: no closure, no lower-casing of other names.
import { connectionName } from './connection-name.ts';
import { listElements } from './grammar.ts';
import type { HeaderList } from './header-list.ts';

/** Values are those of the first field, or of all joined by `, ` where the field is a list; null without one. */
export interface ConnectionFields {
  /** Elements of Connection in lower case. */
  readonly options: readonly string[];
  readonly contentLength: string | null;
  readonly contentLengths: number;
  readonly transferEncoding: string | null;
  readonly transferEncodings: number;
  readonly keepAlive: string | null;
  readonly te: string | null;
  readonly upgrade: string | null;
}

const NO_OPTIONS: readonly string[] = [];
const KEEP_ALIVE: readonly string[] = ['keep-alive'];

/** Removes hop-by-hop fields, those that `Connection` names (never Host, RFC 9112 section 3.2), and framing fields. */
export function takeConnectionFields(headers: HeaderList): ConnectionFields {
  const flat = headers.flat;
  const end = flat.length;
  let connection: string | null = null;
  let contentLength: string | null = null;
  let contentLengths = 0;
  let transferEncoding: string | null = null;
  let transferEncodings = 0;
  let keepAlive: string | null = null;
  let te: string | null = null;
  let upgrade: string | null = null;
  let to = 0;
  for (let i = 0; i < end; i += 2) {
    const name = flat[i]!;
    const value = flat[i + 1]!;
    switch (connectionName(name)) {
      case null:
        if (to !== i) {
          flat[to] = name;
          flat[to + 1] = value;
        }
        to += 2;
        break;
      case 'connection':
        connection = joined(connection, value);
        break;
      case 'content-length':
        contentLength ??= value;
        contentLengths++;
        break;
      case 'transfer-encoding':
        transferEncoding ??= value;
        transferEncodings++;
        break;
      case 'keep-alive':
        keepAlive = joined(keepAlive, value);
        break;
      case 'te':
        te = joined(te, value);
        break;
      case 'upgrade':
        upgrade = joined(upgrade, value);
        break;
    }
  }
  if (to !== end) flat.length = to;
  const options =
    connection === null ? NO_OPTIONS : connection === 'keep-alive' ? KEEP_ALIVE : listElements(connection);
  if (options !== NO_OPTIONS && options !== KEEP_ALIVE) dropNamed(headers, options);
  return { options, contentLength, contentLengths, transferEncoding, transferEncodings, keepAlive, te, upgrade };
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

function dropNamed(headers: HeaderList, options: readonly string[]): void {
  const named = new Set(options.filter((option) => option !== 'host' && connectionName(option) === null));
  if (named.size > 0) headers.filter((name) => !named.has(name.toLowerCase()));
}

/** Removes trailer fields that must not come after content (RFC 9110 section 6.5.1): framing, routing, authentication. */
export function stripTrailers(trailers: HeaderList): void {
  trailers.filter((name) => connectionName(name) === null && !NOT_IN_TRAILERS.has(name.toLowerCase()));
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
