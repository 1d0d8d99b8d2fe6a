// Whose word about the client is taken (RFC 7239 section 8.1): only that of hosts in the configured networks, read from
// right to left, so that what lies left of the first stranger is the client's own invention.
import { BlockList, isIP, isIPv6 } from 'node:net';
import { normalizeAddress } from '../core/address.ts';
import { trimBlanks } from './grammar.ts';

export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #isEmpty: boolean;

  /** `networks`: CIDR form, addresses normalised (config/network). */
  constructor(networks: readonly string[]) {
    this.#isEmpty = networks.length === 0;
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      this.#networks.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
    }
  }

  /** `address`: in normal form, so that an IPv4-mapped one is judged as the IPv4 address it is. */
  has(address: string): boolean {
    return !this.#isEmpty && this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  /**
   * The part of an X-Forwarded-For chain that is vouched for: from the last entry leftwards while the one who added it
   * is trusted. Addresses in normal form, without ports; stops at what is no address.
   */
  believedChain(chain: string): string[] {
    const believed: string[] = [];
    const entries = chain.split(',');
    for (let i = entries.length - 1; i >= 0; i--) {
      const address = entryAddress(trimBlanks(entries[i]!));
      if (address === null) break;
      believed.unshift(address);
      if (!this.has(address)) break;
    }
    return believed;
  }
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711` → the address, or null. */
function entryAddress(entry: string): string | null {
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/.exec(entry)?.[1];
  const bare = bracketed ?? (isIP(entry) === 0 ? entry.replace(/:\d{1,5}$/, '') : entry);
  return isIP(bare) === 0 || bare.includes('%') ? null : normalizeAddress(bare);
}
