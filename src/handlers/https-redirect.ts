// The plain listener's answer to everything but challenges: 308 to the same host and path over https.
// A host that is not configured gets 404 and no redirect.
import { uriHost } from '../core/address.ts';
import type { Exchange } from '../http/exchange.ts';
import type { RequestHead } from '../http/message.ts';
import { sendPlain } from '../http/plain-response.ts';

/** `httpsPort`: where clients reach the TLS listener. */
export function redirectToHttps(exchange: Exchange, isServed: boolean, httpsPort: number): void {
  if (!isServed) {
    sendPlain(exchange, 404, 'text/plain; charset=utf-8', '404 Not Found\n');
    return;
  }
  const location = httpsLocation(exchange.request, httpsPort);
  sendPlain(exchange, 308, 'text/plain; charset=utf-8', `Permanent Redirect: ${location}\n`, ['Location', location]);
}

/** The same over https. */
export function httpsLocation(
  { host, path, query }: Pick<RequestHead, 'host' | 'path' | 'query'>,
  httpsPort: number,
): string {
  const port = httpsPort === 443 ? '' : `:${httpsPort}`;
  return `https://${uriHost(host)}${port}${path === '*' ? '/' : path}${query}`;
}
