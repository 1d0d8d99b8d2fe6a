// The host[:port] of a Host field or an absolute target (RFC 3986 section 3.2.2, RFC 9110 section 7.2). Strict.
import { normalizeHostname } from '../core/hostname.ts';

export interface Authority {
  /** Normal form (core/hostname). */
  readonly host: string;
  /** null when none was written. */
  readonly port: number | null;
}

/** null for anything doubtful: userinfo, spaces, raw IDN, zones, bad ports. */
export function parseAuthority(text: string): Authority | null {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(?::(\d{0,5}))?$/.exec(text);
  if (match === null) return null;
  const host = normalizeHostname(match[1]!);
  const port = match[2] === undefined || match[2] === '' ? null : Number(match[2]);
  if (host === null || port === 0 || (port !== null && port > 65_535)) return null;
  return { host, port };
}
