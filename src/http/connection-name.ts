// The field names that belong to one connection or frame its messages (RFC 9110 section 7.6.1, RFC 9112 section 6), and
// the few others that a codec reads. On the hot path: it lower-cases a name only when length and first letter fit.

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

/** What `name`, in any case, is called in lower case if it is one of these; null for all other names. */
export function connectionName(name: string): ConnectionName | null {
  switch (name.length) {
    case 2:
      return fits(name, 'TE', 'te');
    case 7:
      return fits(name, 'Upgrade', 'upgrade');
    case 10:
      return fits(name, 'Connection', 'connection') ?? fits(name, 'Keep-Alive', 'keep-alive');
    case 14:
      return fits(name, 'Content-Length', 'content-length') ?? fits(name, 'HTTP2-Settings', 'http2-settings');
    case 16:
      return fits(name, 'Proxy-Connection', 'proxy-connection');
    case 17:
      return fits(name, 'Transfer-Encoding', 'transfer-encoding');
    case 18:
      return fits(name, 'Proxy-Authenticate', 'proxy-authenticate');
    case 19:
      return fits(name, 'Proxy-Authorization', 'proxy-authorization');
    case 25:
      return fits(name, 'Proxy-Authentication-Info', 'proxy-authentication-info');
    default:
      return null;
  }
}

/** Whether `name` is `lower` in any case; `usual` is how it is mostly written. All three have one length. */
export function isNamed(name: string, usual: string, lower: string): boolean {
  return (
    (name.charCodeAt(0) | 0x20) === lower.charCodeAt(0) &&
    (name === usual || name === lower || name.toLowerCase() === lower)
  );
}

function fits<T extends ConnectionName>(name: string, usual: string, lower: T): T | null {
  return isNamed(name, usual, lower) ? lower : null;
}
