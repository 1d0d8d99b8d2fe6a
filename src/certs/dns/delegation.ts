// Where a challenge's record has to be put: the end of the CNAMEs that start at `_acme-challenge.NAME`, as the CA follows
// them (RFC 8555 section 8.4). So one name can hand its proofs to another zone.
import { randomBytes } from 'node:crypto';
import { PerantaraError } from '../../core/errors.ts';
import type { DnsLookup } from './lookup.ts';

const MAX_ALIASES = 8;

/** The name itself when it is no alias. */
export async function followAliases(name: string, lookup: DnsLookup, signal: AbortSignal): Promise<string> {
  const path = [name];
  for (;;) {
    const current = path.at(-1)!;
    const next = await lookup.alias(current, signal);
    if (next === null) return current;
    // The CA would no longer come to where a wildcard leads once the name itself has a record, and the wildcard was not meant.
    if (path.length === 1 && (await isWildcard(current, next, lookup, signal))) return current;
    path.push(next);
    if (path.indexOf(next) < path.length - 1) throw astray(path, 'they go in a circle');
    if (path.length > MAX_ALIASES + 1) throw astray(path, `there are more than ${MAX_ALIASES}`);
  }
}

/** Whether a name beside it that nobody can have set leads to the same place. */
async function isWildcard(name: string, target: string, lookup: DnsLookup, signal: AbortSignal): Promise<boolean> {
  const sibling = `_${randomBytes(8).toString('hex')}${name.slice(name.indexOf('.'))}`;
  return (await lookup.alias(sibling, signal)) === target;
}

function astray(path: readonly string[], state: string): PerantaraError {
  return new PerantaraError(
    `cannot follow the CNAME records of "${path[0]}": ${state} (${path.join(' → ')}); correct them`,
    {
      code: 'dns_alias_astray',
      source: 'operator',
    },
  );
}
