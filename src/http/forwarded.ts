// What Perantara tells the upstream about the client (RFC 7239, Via of RFC 9110 section 7.6.3), and what of the client's
// own claims it drops first. Nobody's claims are believed yet: trusted proxies come with the data plane's issue.
import { isIPv6 } from 'node:net';
import type { Client } from './exchange.ts';
import type { HeaderList } from './header-list.ts';
import type { RequestHead } from './message.ts';

/** Any separator: CGI-style applications read `X.Forwarded.For` as `X-Forwarded-For` (GHSA-49wc-4hcv-v58q). */
const CLIENT_CLAIM = /^(?:x[^0-9a-z](?:forwarded|real[^0-9a-z]ip$)|forwarded$|proxy$)/;

/** Whether a request field must not reach the upstream as the client sent it; `name` in lower case. */
export function isClientClaim(name: string): boolean {
  return CLIENT_CLAIM.test(name);
}

/** Appends our own fields. `headers` has been cleared of the client's (isClientClaim). */
export function appendForwarded(headers: HeaderList, request: RequestHead, client: Client): void {
  const address = client.address;
  const node = isIPv6(address) ? `"[${address}]"` : address;
  const host = /^[0-9A-Za-z.-]+$/.test(request.authority) ? request.authority : `"${request.authority}"`;
  headers.append('X-Forwarded-For', address);
  headers.append('X-Forwarded-Proto', request.scheme);
  headers.append('X-Forwarded-Host', request.authority);
  headers.append('Forwarded', `for=${node};host=${host};proto=${request.scheme}`);
}

/** Appends this hop to Via, after any the client sent. */
export function appendVia(headers: HeaderList, request: RequestHead): void {
  headers.append('Via', `${request.version} perantara`);
}
