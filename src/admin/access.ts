// Who may ask: the name that was connected to, the page that asks, the token. A page of somebody else in a browser on this
// machine reaches loopback addresses too, also under a name of its own that it leads there (DNS rebinding): hence Host and Origin.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AdminError } from './admin-error.ts';

export interface AccessRules {
  /** null: whoever could open the socket may ask. */
  readonly token: string | null;
  /** That Host must name; null: any, since a socket may be reached through a forwarded port (`ssh -L`). */
  readonly port: number | null;
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i;

/** Whether the endpoint was meant, and by a page of its own if by any. Throws AdminError. */
export function checkOrigin(request: IncomingMessage, { port }: AccessRules): void {
  const { host: hosts = [], origin: origins = [] } = request.headersDistinct;
  const host = hosts.length === 1 ? hosts[0]! : '';
  const match = LOOPBACK_HOST.exec(host);
  if (match === null || (port !== null && Number(match[1] ?? 80) !== port))
    throw new AdminError(
      403,
      'host_refused',
      'cannot answer: Host is not a loopback address with the port of this endpoint',
    );
  if (origins.length > 0 && (origins.length > 1 || origins[0]!.toLowerCase() !== `http://${host.toLowerCase()}`))
    throw new AdminError(403, 'origin_refused', 'cannot answer: another web page asks (Origin)');
}

/** Throws AdminError. */
export function checkToken(request: IncomingMessage, { token }: AccessRules): void {
  if (token === null) return;
  const { authorization = [] } = request.headersDistinct;
  const given = authorization.length === 1 ? /^bearer +(\S+)$/i.exec(authorization[0]!)?.[1] : undefined;
  if (given === undefined || !isSame(given, token))
    throw new AdminError(
      401,
      'token_refused',
      'cannot answer: Authorization: Bearer TOKEN is missing or has another token',
      {
        'www-authenticate': 'Bearer realm="perantara"',
      },
    );
}

/** In the same time, however much of it is right. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
