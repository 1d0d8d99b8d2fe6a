// Listen entries: reading `:80`, `127.0.0.1:8080`, `[::1]:8443`, `localhost:8443`, `8443`, and finding entries that collide.

import { isIPv4, isIPv6 } from 'node:net';
import { uriHost } from '../core/address.ts';
import { normalizeHostname } from '../core/hostname.ts';
import type { ListenAddress, ListenConfig } from './config.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT } from './defaults.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';

export const LISTEN_FORMS = ':8443, 127.0.0.1:8443, [::1]:8443, localhost:8443 or 8443';

export interface ListenEntry {
  readonly host: string | null;
  readonly port: number;
}

export function parseListenEntry(written: string | number): Parsed<ListenEntry> {
  const text = String(written).trim();
  if (/^\d+$/.test(text)) return entry(null, text);
  if (isIPv6(text)) return mistaken('an IPv6 address needs brackets', { suggestion: `[${text}]:8443` });
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text);
  if (text === 'off') return mistaken('only listen.http can be off', { allowed: LISTEN_FORMS });
  if (match === null) {
    const isHost = normalizeHostname(text) !== null && !/^\d+[a-z]/i.test(text);
    return mistaken(isHost ? 'it has no port' : 'it is not an address to listen on', {
      allowed: LISTEN_FORMS,
      suggestion: isHost ? `${text}:8443` : null,
    });
  }
  if (match[1] === '') return entry(null, match[2]!);
  if (match[1] === '*') return mistaken('"*" is no address', { suggestion: `:${match[2]}` });
  const host = normalizeHostname(match[1]!);
  return host === null ? mistaken('its host is not valid', { allowed: LISTEN_FORMS }) : entry(host, match[2]!);
}

function entry(host: string | null, portText: string): Parsed<ListenEntry> {
  const port = Number(portText);
  return port <= 65_535 ? meant({ host, port }) : mistaken('its port is not valid', { allowed: 'a port up to 65535' });
}

export function readListen(raw: RawConfig['listen'], trusted: readonly string[], draft: Draft): ListenConfig {
  const placed = (key: 'http' | 'https', entries: RawListenEntries | undefined, port: number): ListenAddress[] =>
    entries === undefined
      ? [{ host: null, port, proxyProtocol: false, h2c: false, position: draft.defaultPosition(['listen', key]) }]
      : entries.map(({ address, proxyProtocol = false, h2c = false }, i) => {
          const path = draft.elementPath(['listen', key], i);
          if (proxyProtocol && trusted.length === 0)
            draft.errorAt(path, 'its PROXY protocol senders are not named; list them under trustedProxies');
          return { ...address, proxyProtocol, h2c, position: draft.positionAt(['listen', key, i]) };
        });
  const listen = {
    http: placed('http', raw?.http, DEFAULT_HTTP_PORT),
    https: placed('https', raw?.https, DEFAULT_HTTPS_PORT),
    redirectPort: raw?.redirectPort ?? null,
  };
  if (!draft.isTainted(['listen'])) reportCollisions(listen, draft);
  return listen;
}

function reportCollisions(listen: ListenConfig, draft: Draft): void {
  const all = (['http', 'https'] as const).flatMap((key) =>
    listen[key].map((address, i) => ({ address, path: draft.elementPath(['listen', key], i) })),
  );
  for (const [i, later] of all.entries()) {
    const earlier = all.slice(0, i).find((other) => overlaps(other.address, later.address));
    if (earlier === undefined) continue;
    // A default cannot be blamed: the written entry took its place.
    const isDefault = draft.writtenAt(later.path) === undefined;
    const [blamed, other] = isDefault ? [earlier, later] : [later, earlier];
    const at = `${showAddress(other.address)} (${other.address.position})`;
    draft.errorAt(blamed.path, `it takes the same address as ${at}`);
  }
}

/** Those of `http` have every key. */
type RawListenEntries = NonNullable<NonNullable<RawConfig['listen']>['http']>;

/** Whether the operating system would refuse the second of the two. Port 0 never collides. */
function overlaps(a: ListenEntry, b: ListenEntry): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || covers(a.host, b.host) || covers(b.host, a.host);
}

function covers(wide: string | null, narrow: string | null): boolean {
  if (wide === null) return true;
  return wide === '0.0.0.0' && narrow !== null && isIPv4(narrow);
}

export function showAddress({ host, port }: ListenEntry): string {
  if (host === null) return `:${port}`;
  return `${uriHost(host)}:${port}`;
}
