// Networks of trusted proxies: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
import { isIP, isIPv6 } from 'node:net';
import { normalizeAddress } from '../core/address.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

export const NETWORK_FORMS = 'a network such as 10.0.0.0/8, or an address';

/** In CIDR form, the address normalised; the bits after the prefix need not be zero. */
export function parseNetwork(written: string): Parsed<string> {
  const [address = '', prefix, ...more] = written.trim().split('/');
  const wrong = { allowed: NETWORK_FORMS };
  if (isIP(address) === 0 || more.length > 0) return mistaken('it is not a network', wrong);
  const bits = isIPv6(address) ? 128 : 32;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(length <= bits)) return mistaken(`its prefix is not from 0 to ${bits}`, wrong);
  const normal = normalizeAddress(address);
  // An IPv4-mapped network is the IPv4 network it maps.
  if (isIPv6(address) && !isIPv6(normal)) {
    return length >= 96 ? meant(`${normal}/${length - 96}`) : mistaken('it is wider than the IPv4-mapped range', wrong);
  }
  return meant(`${normal}/${length}`);
}
