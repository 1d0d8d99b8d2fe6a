// Questions to recursive resolvers: the system's, or those of the configuration. Never asks a name server of a zone itself.
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, RecordType } from 'dns-packet';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { type DnsAnswer, type DnsQuestion, describeServer, plainName, query, sameName, textsOf } from './query.ts';
import { readServerAddress, type ServerAddress } from './server-address.ts';

export interface DnsLookupOptions {
  /** Asked in turn, each time anew, until one gives an answer; at least one. */
  readonly resolvers: () => readonly string[];
  /** Where name servers listen. Default 53; tests have another. */
  readonly nameServerPort?: number;
}

export interface ZoneServer {
  readonly name: string;
  readonly address: ServerAddress;
}

const MAX_NAME_SERVERS = 20;
/** Of each of them: an answer has room for thousands, and all are asked at once. */
const MAX_ADDRESSES = 8;
/** How often all resolvers are asked before a failure counts. */
const ROUNDS = 2;
const ROUND_PAUSE_MS = 250;
/** What may follow in a message or a question: anything else in the DNS is no name of a server or a record of ours. */
const SANE_NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

export class DnsLookup {
  readonly #options: DnsLookupOptions;

  constructor(options: DnsLookupOptions) {
    this.#options = options;
  }

  /** Texts at the name; CNAMEs are followed by the resolver. Empty when there is none. */
  async texts(name: string, signal: AbortSignal): Promise<string[]> {
    return textsOf(await this.#ask(name, 'TXT', signal));
  }

  /** What the name itself is an alias of, or null. */
  async alias(name: string, signal: AbortSignal): Promise<string | null> {
    const { answers } = await this.#ask(name, 'CNAME', signal);
    const record = answers.find((answer) => answer.type === 'CNAME' && sameName(answer.name, name));
    if (record?.type !== 'CNAME') return null;
    const target = plainName(record.data as string);
    if (SANE_NAME.test(target)) return target;
    throw new PerantaraError(
      `cannot follow the CNAME record of "${name}": "${printable(target)}" is no name for a record`,
      {
        code: 'dns_alias_astray',
        source: 'operator',
      },
    );
  }

  /** The zone that the name lies in: the nearest name above it that has a SOA record. */
  async zoneOf(name: string, signal: AbortSignal): Promise<string> {
    for (const candidate of ancestors(name)) {
      const { answers, authorities } = await this.#ask(candidate, 'SOA', signal);
      const zone = zoneIn([...answers, ...authorities], name);
      if (zone !== null) return zone;
    }
    throw new PerantaraError(
      `cannot find the DNS zone of "${name}": no name above it has a SOA record; check that the domain exists`,
      {
        code: 'dns_zone_unknown',
        source: 'operator',
        retryable: true,
      },
    );
  }

  /** Every name server of the zone, by its IPv4 addresses, or its IPv6 addresses when it has no other. Never empty. */
  async nameServers(zone: string, signal: AbortSignal): Promise<readonly ZoneServer[]> {
    const { answers } = await this.#ask(zone, 'NS', signal);
    const all = answers.flatMap((answer) => (answer.type === 'NS' ? [plainName(answer.data as string)] : []));
    const names = all.filter((name) => SANE_NAME.test(name)).slice(0, MAX_NAME_SERVERS);
    const found = await Promise.all(names.map((name) => this.#addresses(name, signal)));
    const servers = found.flat();
    if (servers.length > 0) return servers;
    const state = names.length === 0 ? 'it has no NS records' : `no address is known of ${names.join(', ')}`;
    throw new PerantaraError(`cannot find the name servers of zone "${zone}": ${state}`, {
      code: 'dns_zone_unknown',
      source: 'operator',
      retryable: true,
    });
  }

  async #addresses(name: string, signal: AbortSignal): Promise<readonly ZoneServer[]> {
    for (const type of ['A', 'AAAA'] as const) {
      const { answers } = await this.#ask(name, type, signal);
      const found = answers.flatMap((answer) => (answer.type === type ? [answer.data as string] : []));
      if (found.length > 0)
        return found
          .slice(0, MAX_ADDRESSES)
          .map((host) => ({ name, address: { host, port: this.#options.nameServerPort ?? 53 } }));
    }
    return [];
  }

  /** The first answer of a resolver that says what there is, or that there is nothing. */
  async #ask(name: string, type: RecordType, signal: AbortSignal): Promise<DnsAnswer> {
    let complaints: string[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      if (round > 1) await delay(ROUND_PAUSE_MS, undefined, { signal });
      complaints = [];
      for (const resolver of this.#options.resolvers()) {
        const answer = await askOne(readServerAddress(resolver), { name, type, recursive: true }, signal);
        if (typeof answer !== 'string') return answer;
        complaints.push(answer);
      }
    }
    const state = complaints.length === 0 ? 'this system has no resolver' : complaints.join('; ');
    const advice = "check this machine's resolver, or name others in dns.resolvers";
    throw new PerantaraError(`cannot look up ${type} of "${name}": ${state}; ${advice}`, {
      code: 'dns_lookup_failed',
      source: 'operator',
      retryable: true,
    });
  }
}

/** The answer, or a complaint when it helps nobody. */
async function askOne(server: ServerAddress, question: DnsQuestion, signal: AbortSignal): Promise<DnsAnswer | string> {
  try {
    const answer = await query(server, question, signal);
    const helps = answer.rcode === 'NOERROR' || answer.rcode === 'NXDOMAIN';
    return helps ? answer : `${describeServer(server)} answers ${answer.rcode}`;
  } catch (error) {
    signal.throwIfAborted();
    return `${describeServer(server)} ${messageOf(error)}`;
  }
}

/** `a.b.c` → `a.b.c`, `b.c`, `c` */
export function ancestors(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

/** The owner of a SOA record that the name lies under: in the answer at a zone's top, in the authority section below it. */
export function zoneIn(records: readonly Answer[], name: string): string | null {
  const owners = records.flatMap((record) => (record.type === 'SOA' ? [plainName(record.name)] : []));
  return owners.find((owner) => owner !== '' && (name === owner || name.endsWith(`.${owner}`))) ?? null;
}
