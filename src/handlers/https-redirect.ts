// The plain listener's answer to everything but challenges: 308 to the same host and path over https.
// A host that is not configured gets 404 and no redirect.
import { isIPv6 } from 'node:net';
import type { Exchange } from '../http/exchange.ts';
import { sendPlain } from '../http/plain-response.ts';

/** `httpsPort`: where clients reach the TLS listener. */
export function redirectToHttps(exchange: Exchange, isServed: boolean, httpsPort: number): void {
  if (!isServed) {
    sendPlain(exchange, 404, 'text/plain; charset=utf-8', '404 Not Found\n');
    return;
  }
  const { host, path, query } = exchange.request;
  const name = isIPv6(host) ? `[${host}]` : host;
  const port = httpsPort === 443 ? '' : `:${httpsPort}`;
  const location = `https://${name}${port}${path === '*' ? '/' : path}${query}`;
  sendPlain(exchange, 308, 'text/plain; charset=utf-8', `Permanent Redirect: ${location}\n`, ['Location', location]);
}
