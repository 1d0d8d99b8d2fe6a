// The field names that belong to one connection or frame its messages (RFC 9110 section 7.6.1, RFC 9112 section 6). On the
// hot path: a name becomes a string only when its length and first letter fit.

/** Fields that end at the connection they came by. */
export type ConnectionName =
  | 'connection'
  | 'content-length'
  | 'http2-settings'
  | 'keep-alive'
  | 'proxy-authenticate'
  | 'proxy-authentication-info'
  | 'proxy-authorization'
  | 'proxy-connection'
  | 'te'
  | 'transfer-encoding'
  | 'upgrade';

/** What the name text[start, end), in any case, is called if it is one of these; null for all other names. */
export function connectionName(text: string, start: number, end: number): ConnectionName | null {
  switch (end - start) {
    case 2:
      return fits(text, start, end, 'te');
    case 7:
      return fits(text, start, end, 'upgrade');
    case 10:
      return fits(text, start, end, 'connection') ?? fits(text, start, end, 'keep-alive');
    case 14:
      return fits(text, start, end, 'content-length') ?? fits(text, start, end, 'http2-settings');
    case 16:
      return fits(text, start, end, 'proxy-connection');
    case 17:
      return fits(text, start, end, 'transfer-encoding');
    case 18:
      return fits(text, start, end, 'proxy-authenticate');
    case 19:
      return fits(text, start, end, 'proxy-authorization');
    case 25:
      return fits(text, start, end, 'proxy-authentication-info');
    default:
      return null;
  }
}

function fits<T extends ConnectionName>(text: string, start: number, end: number, name: T): T | null {
  const isLike = (text.charCodeAt(start) | 0x20) === name.charCodeAt(0);
  return isLike && text.slice(start, end).toLowerCase() === name ? name : null;
}
