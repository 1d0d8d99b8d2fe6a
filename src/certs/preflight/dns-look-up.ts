// The questions of a preflight to the DNS, asked through recursive resolvers: the system's, or one that is named.
import { Resolver } from 'node:dns/promises';
import { normalizeAddress } from '../../core/address.ts';
import { codeOf, messageOf } from '../../core/errors.ts';
import { type CaaRecord, type CaaSet, caaCandidates } from './caa.ts';
import type { LookUp } from './finding.ts';

export interface DnsQuestions {
  a(name: string): Promise<LookUp<readonly string[]>>;
  aaaa(name: string): Promise<LookUp<readonly string[]>>;
  /** Climbs from the name up (RFC 8659 section 3); aliases are followed by the resolver. */
  caa(name: string): Promise<LookUp<CaaSet>>;
  /** The texts of every TXT record there. */
  texts(name: string): Promise<LookUp<readonly string[]>>;
  /** What the name is an alias of. */
  alias(name: string): Promise<LookUp<string>>;
}

const TRY_MS = 4_000;
const TRIES = 2;

export class SystemDns implements DnsQuestions {
  readonly #resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });

  /** `server`: `address` or `address:port` (IPv6 in brackets); null: the system's. Throws when it is no address. */
  constructor(server: string | null = null) {
    if (server !== null) this.#resolver.setServers([server]);
  }

  a(name: string): Promise<LookUp<readonly string[]>> {
    return lookUp(() => this.#resolver.resolve4(name));
  }

  aaaa(name: string): Promise<LookUp<readonly string[]>> {
    return lookUp(async () => (await this.#resolver.resolve6(name)).map(normalizeAddress));
  }

  async caa(name: string): Promise<LookUp<CaaSet>> {
    for (const domain of caaCandidates(name)) {
      const found = await lookUp(() => this.#resolver.resolveCaa(domain));
      if (found.kind === 'failed') return { kind: 'failed', reason: `${found.reason} (${domain})` };
      if (found.kind === 'found') return { kind: 'found', value: { domain, records: found.value.map(readCaa) } };
    }
    return { kind: 'none' };
  }

  texts(name: string): Promise<LookUp<readonly string[]>> {
    return lookUp(async () => (await this.#resolver.resolveTxt(name)).map((parts) => parts.join('')));
  }

  async alias(name: string): Promise<LookUp<string>> {
    const found = await lookUp(() => this.#resolver.resolveCname(name));
    return found.kind === 'found' ? { kind: 'found', value: found.value[0]! } : found;
  }
}

async function lookUp<T extends readonly unknown[]>(ask: () => Promise<T>): Promise<LookUp<T>> {
  try {
    const value = await ask();
    return value.length === 0 ? { kind: 'none' } : { kind: 'found', value };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENODATA' || code === 'ENOTFOUND') return { kind: 'none' };
    return { kind: 'failed', reason: REASONS[code] ?? messageOf(error) };
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ESERVFAIL: 'the name servers fail (SERVFAIL)',
  EREFUSED: 'the resolver refuses to answer (REFUSED)',
  ETIMEOUT: 'no answer in time',
  ECONNREFUSED: 'no resolver answers',
};

/** Node gives `{ critical: 128, issue: 'ca.example' }`: the tag is the other field. */
function readCaa(record: object): CaaRecord {
  const entry = Object.entries(record).find(([key]) => key !== 'critical' && key !== 'type');
  const critical = ((record as { critical?: number }).critical ?? 0) !== 0;
  return { critical, tag: (entry?.[0] ?? '').toLowerCase(), value: String(entry?.[1] ?? '') };
}
