// Fields that belong to one connection and are never forwarded (RFC 9110 section 7.6.1), and framing, which each codec
// writes anew. Works in place on one flat list; allocates only when a Connection field names more fields.
import { listElements } from './grammar.ts';
import type { HeaderList } from './header-list.ts';

/** Removes hop-by-hop fields, those that `Connection` names (never Host, RFC 9112 section 3.2), and framing fields. */
export function stripHopByHop(headers: HeaderList): void {
  const connection = headers.getJoined('connection');
  const named =
    connection === null ? [] : listElements(connection).filter((name) => !isHopByHop(name) && name !== 'host');
  headers.filter((name) => {
    const lower = name.toLowerCase();
    return !isHopByHop(lower) && (named.length === 0 || !named.includes(lower));
  });
}

/** `name` in lower case. */
export function isHopByHop(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'proxy-authenticate':
    case 'proxy-authorization':
    case 'proxy-authentication-info':
    case 'te':
    case 'transfer-encoding':
    case 'content-length':
    case 'upgrade':
    case 'http2-settings':
      return true;
    default:
      return false;
  }
}

/** Removes trailer fields that must not come after content (RFC 9110 section 6.5.1): framing, routing, authentication. */
export function stripTrailers(trailers: HeaderList): void {
  trailers.filter((name) => {
    const lower = name.toLowerCase();
    return !isHopByHop(lower) && !NOT_IN_TRAILERS.has(lower);
  });
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
