// IP addresses: one normal form, and which of them are public. IPv4-mapped IPv6 counts as the IPv4 address it is.
import { BlockList, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** Special-purpose ranges no public CA certifies (RFC 6890 and its registry). */
const SPECIAL_RANGES: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

const special = new BlockList();
for (const [network, prefix, family] of SPECIAL_RANGES) special.addSubnet(network, prefix, family);

/** The compressed lower-case form of an IP address; `::ffff:10.0.0.1` → `10.0.0.1`. Input must be a valid address. */
export function normalizeAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const compressed = domainToASCII(`[${address}]`).slice(1, -1) || address.toLowerCase();
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed);
  if (mapped === null) return compressed;
  const high = Number.parseInt(mapped[1]!, 16);
  const low = Number.parseInt(mapped[2]!, 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Whether a valid, normalised IP address is globally reachable. */
export function isPublicAddress(address: string): boolean {
  return !special.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** A host as it stands before a port or in a URI (RFC 3986 section 3.2.2): IPv6 addresses in brackets. */
export function uriHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
