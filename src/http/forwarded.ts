// What Perantara tells the upstream about the client (RFC 7239, Via of RFC 9110 section 7.6.3). What the client itself
// claims is dropped first, unless it is a trusted proxy.
import { parseAuthority } from './authority.ts';
import type { Client } from './exchange.ts';
import { type ForwardedElement, parseForwarded, writeForwarded } from './forwarded-field.ts';
import type { FieldTest, HeaderList } from './header-list.ts';
import type { RequestHead } from './message.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/**
 * Any separator: CGI-style applications read `X.Forwarded.For` as `X-Forwarded-For` (GHSA-49wc-4hcv-v58q). X-Original-URL and
 * X-Rewrite-URL name another path than the one the route was chosen by (CVE-2018-14773).
 */
const CLIENT_CLAIM =
  /^(?:x[^0-9a-z](?:forwarded|real[^0-9a-z]ip$|(?:original|rewrite)[^0-9a-z]url$)|forwarded$|proxy$)/i;
const F = 102;
const P = 112;
const X = 120;

/** Whether the request field called text[start, end), in any case, must not reach the upstream as the client sent it. */
export function isClientClaim(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start) | 0x20;
  return (first === X || first === F || first === P) && CLIENT_CLAIM.test(text.slice(start, end));
}

/** Whether a field of the client's may pass to the upstream: not its claims, nor names with `_` but for these (lower case). */
export function passingFields(underscoreHeaders: ReadonlySet<string>): FieldTest {
  return (text, start, end) => {
    if (isClientClaim(text, start, end)) return false;
    const name = text.slice(start, end);
    return !name.includes('_') || underscoreHeaders.has(name.toLowerCase());
  };
}

/** Makes of the fields that came those that the upstream gets. */
export function tellUpstream(request: RequestHead, client: Client, passes: FieldTest, trusted: TrustedProxies): void {
  const { headers } = request;
  const claims = believedClaims(headers, client, trusted);
  headers.filter(passes);
  appendForwarded(headers, request, client, claims);
  appendVia(headers, request);
}

/** What a trusted proxy says about the request it passes on. */
export interface Claims {
  /** Addresses from the client to the last proxy before this connection's peer. */
  readonly chain: readonly string[];
  readonly proto: string | null;
  readonly host: string | null;
}

/** The claims to believe, or null: the peer is not trusted, or makes none. Before isClientClaim fields are dropped. */
export function believedClaims(headers: HeaderList, client: Client, trusted: TrustedProxies): Claims | null {
  if (!trusted.has(client.address)) return null;
  const chain = headers.getJoined('x-forwarded-for');
  if (chain === null) return forwardedClaims(headers, trusted);
  const proto = headers.getJoined('x-forwarded-proto')?.toLowerCase() ?? null;
  const host = headers.getJoined('x-forwarded-host');
  return { chain: trusted.believedChain(chain), proto: knownProto(proto), host: validHost(host) };
}

/** Appends our own fields, on top of what is believed. `headers` has been cleared of isClientClaim fields. */
export function appendForwarded(
  headers: HeaderList,
  request: RequestHead,
  client: Client,
  claims: Claims | null,
): void {
  const chain = claims === null ? [client.address] : [...claims.chain, client.address];
  const proto = claims?.proto ?? request.scheme;
  const host = claims?.host ?? request.authority;
  headers.append('X-Forwarded-For', claims === null ? client.address : chain.join(', '));
  headers.append('X-Forwarded-Proto', proto);
  headers.append('X-Forwarded-Host', host);
  headers.append('Forwarded', writeForwarded(chain, host, proto));
}

/** Appends this hop to Via, after any the client sent. */
export function appendVia(headers: HeaderList, request: RequestHead): void {
  headers.append('Via', `${request.version} perantara`);
}

/** From Forwarded alone: the element of the first believed hop tells how the client's request was made. */
function forwardedClaims(headers: HeaderList, trusted: TrustedProxies): Claims | null {
  const field = headers.getJoined('forwarded');
  const elements = field === null ? null : parseForwarded(field);
  if (elements === null || elements.length === 0) return null;
  const chain = trusted.believedChain(elements.map(nodeOf).join(','));
  const first = elements.at(-chain.length);
  if (chain.length === 0 || first === undefined) return null;
  return { chain, proto: knownProto(first.proto?.toLowerCase() ?? null), host: validHost(first.host) };
}

/** The node of one element; what holds a comma is none, and must not pass for two. */
function nodeOf(element: ForwardedElement): string {
  return element.for === null || element.for.includes(',') ? '' : element.for;
}

function knownProto(proto: string | null): string | null {
  return proto === 'http' || proto === 'https' ? proto : null;
}

function validHost(host: string | null): string | null {
  return host !== null && parseAuthority(host) !== null ? host : null;
}
