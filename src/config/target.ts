// An upstream target as written: `http://host:port`, `https://host`, `h2c://host:port`, each with `unix:/path` in place of the
// host, and the short forms `3000` and `host:port`.

import { isIPv6 } from 'node:net';
import { uriHost } from '../core/address.ts';
import { normalizeHostname } from '../core/hostname.ts';
import { MAX_SOCKET_PATH_BYTES } from '../core/socket-path.ts';
import { suggest } from '../core/suggest.ts';
import type { TargetPlace, TargetProtocol } from './config.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

export const TARGET_FORMS =
  'a target such as http://127.0.0.1:3000, https://10.0.0.5:8443, h2c://127.0.0.1:50051, http://unix:/run/app.sock or 3000';

export type TargetScheme = TargetProtocol['protocol'];
export type WrittenTarget = TargetPlace & { readonly protocol: TargetScheme };

const DEFAULT_PORTS: Readonly<Record<TargetScheme, string>> = { http: '80', https: '443', h2c: '80' };
/** What else may be meant, and the scheme that it is here. */
const OTHER_SCHEMES: Readonly<Record<string, TargetScheme>> = { ws: 'http', wss: 'https', grpc: 'h2c', grpcs: 'https' };

/** Looser than a site's host: container names may have an underscore. */
const INTERNAL_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

export function parseTarget(written: string | number): Parsed<WrittenTarget> {
  const text = String(written).trim();
  if (/^\d+$/.test(text)) return tcpTarget('http', 'localhost', text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined && text.startsWith('unix:')) return unixTarget('http', text.slice(5));
  if (scheme === undefined) return authorityTarget('http', text, null);
  const rest = text.slice(scheme.length + 3);
  if (!isScheme(scheme)) return wrongScheme(scheme, rest);
  return rest.startsWith('unix:')
    ? unixTarget(scheme, rest.slice(5))
    : authorityTarget(scheme, rest, DEFAULT_PORTS[scheme]);
}

/** A name that a target has in its own network, in normal form, or an IP address; null when it is neither. */
export function targetHost(text: string): string | null {
  const host = normalizeHostname(text);
  if (host !== null) return host;
  const name = text.toLowerCase();
  return INTERNAL_NAME.test(name) && !/(^|\.)\d+$/.test(name) ? name : null;
}

/** As a message or a log names it: `https://10.0.0.5:8443`, `http://unix:/run/app.sock`. */
export function showTarget(target: WrittenTarget, scheme: TargetScheme = target.protocol): string {
  if (target.kind === 'unix') return `${scheme}://unix:${target.path}`;
  return `${scheme}://${uriHost(target.host)}:${target.port}`;
}

function isScheme(scheme: string): scheme is TargetScheme {
  return Object.hasOwn(DEFAULT_PORTS, scheme);
}

function wrongScheme(scheme: string, rest: string): Parsed<never> {
  const other = Object.hasOwn(OTHER_SCHEMES, scheme) ? OTHER_SCHEMES[scheme]! : null;
  if (other !== null) {
    const what = scheme.startsWith('ws') ? 'WebSockets are' : 'gRPC is';
    return mistaken(`${what} forwarded by ${other}:// targets`, { suggestion: `${other}://${rest}` });
  }
  // Those that are something else are not taken for a slip of the pen.
  const near = suggest(scheme, [...Object.keys(DEFAULT_PORTS), 'tcp', 'unix', 'fcgi', 'ftp']);
  const suggestion = near !== null && isScheme(near) ? `${near}://${rest}` : null;
  return mistaken(`${scheme}:// is not supported`, { allowed: TARGET_FORMS, suggestion });
}

function unixTarget(protocol: TargetScheme, path: string): Parsed<WrittenTarget> {
  if (!path.startsWith('/') || path.endsWith('/') || /[\u0000-\u001f\u007f]/.test(path))
    return mistaken('the socket needs an absolute path', { allowed: `${protocol}://unix:/run/app.sock` });
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    return mistaken(`the path of the socket is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
  return meant({ kind: 'unix', path, protocol });
}

/** `defaultPort` is null where the port must be written. */
function authorityTarget(protocol: TargetScheme, rest: string, defaultPort: string | null): Parsed<WrittenTarget> {
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  if (authority.includes('@')) {
    const suggestion = `${protocol}://${authority.slice(authority.lastIndexOf('@') + 1)}`;
    return mistaken('a target has no user or password', { suggestion });
  }
  if (end !== -1 && rest.slice(end) !== '/') {
    const suggestion = authority === '' ? null : `${protocol}://${authority}`;
    return mistaken('a target has no path or query; those of the request are passed on', { suggestion });
  }
  if (isIPv6(authority))
    return mistaken('an IPv6 address needs brackets', { suggestion: `${protocol}://[${authority}]:3000` });
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  if (match === null) return mistaken('it is not a target', { allowed: TARGET_FORMS });
  const host = targetHost(match[1]!);
  if (host === null) return mistaken('its host is not valid', { allowed: TARGET_FORMS });
  const port = match[2] ?? defaultPort;
  if (port !== null) return tcpTarget(protocol, host, port);
  return mistaken('it has neither a port nor http://', { allowed: TARGET_FORMS, suggestion: `http://${authority}` });
}

function tcpTarget(protocol: TargetScheme, host: string, portText: string): Parsed<WrittenTarget> {
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return mistaken('its port is not valid', { allowed: 'a port from 1 to 65535' });
  return meant({ kind: 'tcp', host, port, protocol });
}
