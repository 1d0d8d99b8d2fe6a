// An upstream target as written: `http://host:port`, `http://unix:/path`, and the short forms `3000` and `host:port`.
import { isIPv6 } from 'node:net';
import { normalizeHostname } from '../core/hostname.ts';
import { suggest } from '../core/suggest.ts';
import type { TargetAddress } from './config.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

export const TARGET_FORMS = 'a target such as http://127.0.0.1:3000, http://unix:/run/app.sock or 3000';

/** `sun_path` of Linux, without its closing NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const SCHEMES = ['http', 'https', 'ws', 'wss', 'h2c', 'tcp', 'unix', 'fcgi'];
/** Looser than a site's host: container names may have an underscore. */
const INTERNAL_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

export function parseTarget(written: string | number): Parsed<TargetAddress> {
  const text = String(written).trim();
  if (/^\d+$/.test(text)) return tcpTarget('localhost', text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined && text.startsWith('unix:')) return unixTarget(text.slice(5));
  if (scheme === undefined) return authorityTarget(text, null);
  const rest = text.slice(scheme.length + 3);
  if (scheme !== 'http') return wrongScheme(scheme, rest);
  return rest.startsWith('unix:') ? unixTarget(rest.slice(5)) : authorityTarget(rest, '80');
}

function wrongScheme(scheme: string, rest: string): Parsed<never> {
  const suggestion = `http://${rest}`;
  if (scheme === 'https')
    return mistaken('https:// upstreams are not supported yet; forward to the plain http:// port of the service', {
      allowed: TARGET_FORMS,
    });
  if (scheme === 'ws' || scheme === 'wss')
    return mistaken('WebSockets are forwarded by http:// targets', { suggestion });
  const near = suggest(scheme, SCHEMES) === 'http';
  return mistaken(`${scheme}:// is not supported`, { allowed: TARGET_FORMS, suggestion: near ? suggestion : null });
}

function unixTarget(path: string): Parsed<TargetAddress> {
  if (!path.startsWith('/') || path.endsWith('/') || /[\u0000-\u001f\u007f]/.test(path))
    return mistaken('the socket needs an absolute path', { allowed: 'http://unix:/run/app.sock' });
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    return mistaken(`the path of the socket is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
  return meant({ kind: 'unix', path });
}

/** `defaultPort` is null where the port must be written. */
function authorityTarget(rest: string, defaultPort: string | null): Parsed<TargetAddress> {
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  if (authority.includes('@')) {
    const suggestion = `http://${authority.slice(authority.lastIndexOf('@') + 1)}`;
    return mistaken('a target has no user or password', { suggestion });
  }
  if (end !== -1 && rest.slice(end) !== '/') {
    const suggestion = authority === '' ? null : `http://${authority}`;
    return mistaken('a target has no path or query; those of the request are passed on', { suggestion });
  }
  if (isIPv6(authority))
    return mistaken('an IPv6 address needs brackets', { suggestion: `http://[${authority}]:3000` });
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  if (match === null) return mistaken('it is not a target', { allowed: TARGET_FORMS });
  const host = targetHost(match[1]!);
  if (host === null) return mistaken('its host is not valid', { allowed: TARGET_FORMS });
  const port = match[2] ?? defaultPort;
  if (port !== null) return tcpTarget(host, port);
  return mistaken('it has neither a port nor http://', { allowed: TARGET_FORMS, suggestion: `http://${authority}` });
}

function targetHost(text: string): string | null {
  const host = normalizeHostname(text);
  if (host !== null) return host;
  const name = text.toLowerCase();
  return INTERNAL_NAME.test(name) && !/(^|\.)\d+$/.test(name) ? name : null;
}

function tcpTarget(host: string, portText: string): Parsed<TargetAddress> {
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return mistaken('its port is not valid', { allowed: 'a port from 1 to 65535' });
  return meant({ kind: 'tcp', host, port });
}
