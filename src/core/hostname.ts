// Host names as every part of Perantara compares them: lower-case A-labels, no trailing dot, no port (RFC 1123, RFC 5890).
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isPublicAddress, normalizeAddress } from './address.ts';

/** Already in normal form, as most are: letters and digits, no IPv4 address, no punycode to check. */
const PLAIN =
  /^(?!.*(?:^|\.)xn--)(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const RESERVED_SUFFIXES = ['local', 'internal', 'home.arpa', 'lan', 'test', 'invalid', 'example', 'onion'] as const;

/**
 * A host name or IP address in its one normal form: IDN to A-labels, lower case, one trailing dot dropped,
 * IPv6 without brackets and compressed. null when it is neither.
 */
export function normalizeHostname(input: string): string | null {
  if (PLAIN.test(input)) return input;
  const bare = input.startsWith('[') && input.endsWith(']') ? input.slice(1, -1) : input;
  if (isIP(bare) !== 0) return bare.includes('%') ? null : normalizeAddress(bare);
  if (bare !== input || input.length === 0 || /[\u0000-\u0020\u007f%/\\?#@:[\]*]/.test(input)) return null;
  const ascii = domainToASCII(input.endsWith('.') ? input.slice(0, -1) : input);
  if (ascii.length === 0 || ascii.length > 253) return null;
  const labels = ascii.split('.');
  if (!labels.every((label) => LABEL.test(label))) return null;
  return /^\d+$/.test(labels.at(-1)!) ? null : ascii;
}

/** A site's host pattern: an exact name, or `*.` before one for exactly one more label. null when malformed. */
export function normalizeHostPattern(input: string): string | null {
  if (!input.startsWith('*.')) return normalizeHostname(input);
  const rest = normalizeHostname(input.slice(2));
  return rest === null || isIP(rest) !== 0 ? null : `*.${rest}`;
}

/** The wildcard pattern that covers `hostname` (`a.b.c` → `*.b.c`), or null for a single label. */
export function wildcardOf(hostname: string): string | null {
  const dot = hostname.indexOf('.');
  return dot === -1 ? null : `*${hostname.slice(dot)}`;
}

/**
 * Whether the pattern names only this machine or this network: `localhost` and below (RFC 6761), a single label, a
 * private address. No CA can validate such a name, so it uses the local CA without being told.
 */
export function isLocalName(pattern: string): boolean {
  const host = pattern.startsWith('*.') ? pattern.slice(2) : pattern;
  if (isIP(host) !== 0) return !isPublicAddress(host);
  return !host.includes('.') || host.endsWith('.localhost');
}

/**
 * Whether the pattern lies under a suffix that is not delegated in the public DNS (RFC 2606, RFC 6762, RFC 8375).
 * A private CA may certify it, a public one never will.
 */
export function isReservedName(pattern: string): boolean {
  return RESERVED_SUFFIXES.some((suffix) => pattern.endsWith(`.${suffix}`));
}
