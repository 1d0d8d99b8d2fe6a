// Whether the name's addresses lead to this machine, as far as this machine can tell.
import { isIPv6 } from 'node:net';
import { isPublicAddress } from '../../core/address.ts';
import { type Finding, finding, type LookUp } from './finding.ts';

export interface AddressFacts {
  readonly name: string;
  readonly a: LookUp<readonly string[]>;
  readonly aaaa: LookUp<readonly string[]>;
  /** Addresses of this machine's interfaces, without loopback and link-local ones. */
  readonly own: readonly string[];
  /** Addresses from which our own answer came back. */
  readonly proven: ReadonlySet<string>;
  /** Whether the authority comes to the name (HTTP-01, TLS-ALPN-01) or asks the DNS alone. */
  readonly isVisited: boolean;
}

export function judgeAddresses(facts: AddressFacts): readonly Finding[] {
  const { name, a, aaaa, isVisited } = facts;
  const grave = isVisited ? 'problem' : 'warning';
  const failures = [['A', a] as const, ['AAAA', aaaa] as const].flatMap(([type, found]) =>
    found.kind === 'failed'
      ? [
          finding(
            'address',
            grave,
            `its ${type} records cannot be looked up: ${found.reason}`,
            'an authority that is told the same refuses: mend the name servers of the domain, or the resolver here',
          ),
        ]
      : [],
  );
  const addresses = addressesOf(facts);
  if (addresses.length === 0 && failures.length === 0) {
    const advice = `add an A record for "${name}" with the public address of this machine`;
    return [finding('address', grave, `"${name}" has no address in the DNS`, advice)];
  }
  return [...failures, ...addresses.map((address) => judgeAddress(address, facts, grave))];
}

/** IPv6 first, as authorities visit them. */
export function addressesOf({ a, aaaa }: Pick<AddressFacts, 'a' | 'aaaa'>): readonly string[] {
  return [aaaa, a].flatMap((found) => (found.kind === 'found' ? found.value : []));
}

function judgeAddress(address: string, { own, proven }: AddressFacts, grave: 'problem' | 'warning'): Finding {
  const record = `${isIPv6(address) ? 'AAAA' : 'A'} ${address}`;
  if (proven.has(address)) return finding('address', 'ok', `${record} leads to this Perantara`);
  if (own.includes(address)) return finding('address', 'ok', `${record} is an address of this machine`);
  if (!isPublicAddress(address))
    return finding(
      'address',
      grave === 'problem' ? 'warning' : 'ok',
      `${record} is not public`,
      grave === 'problem'
        ? 'a public authority cannot come there; use the public address, or prove the name by DNS'
        : null,
    );
  const family = own.filter((each) => isIPv6(each) === isIPv6(address));
  const others = family.filter(isPublicAddress);
  if (others.length > 0) {
    const advice = `point the record to ${others.join(' or ')}, unless something there forwards to this machine`;
    return finding('address', grave, `${record} is not an address of this machine`, advice);
  }
  const has =
    family.length === 0 ? `none of ${isIPv6(address) ? 'IPv6' : 'IPv4'}` : `only private ones (${family.join(', ')})`;
  return finding(
    'address',
    'unknown',
    `${record} is not an address of this machine, which has ${has}`,
    'behind a router that is as it should be, if the router has that address and forwards ports 80 and 443 here',
  );
}
