// Which names count together against a CA's limit per registered domain: by the public suffix list, its private section
// too, as Let's Encrypt does. An IPv4 address counts for itself, an IPv6 address with its /64.
import { isIPv4, isIPv6 } from 'node:net';
import { getDomain, getPublicSuffix } from 'tldts';

/** `name`: a normalised host pattern or IP address. A public suffix, or a name without a dot, counts for itself. */
export function registeredDomain(name: string): string {
  if (isIPv4(name)) return name;
  if (isIPv6(name)) return network64(name);
  const host = name.startsWith('*.') ? name.slice(2) : name;
  return getDomain(host, { allowPrivateDomains: true, validateHostname: false, extractHostname: false }) ?? host;
}

/** Whether everybody may register below the name (`com`, `co.uk`): nobody is certified for it, nor for all below it. */
export function isPublicSuffix(host: string): boolean {
  return getPublicSuffix(host, { validateHostname: false, extractHostname: false }) === host;
}

/** `2001:db8::1` → `2001:db8:0:0::/64`. */
function network64(address: string): string {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const groups = tail === undefined ? left : [...left, ...zeros(8 - left.length - groupsOf(tail).length)];
  return `${[...groups, ...groupsOf(tail ?? '')].slice(0, 4).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function zeros(count: number): string[] {
  return Array.from({ length: count }, () => '0');
}
