// Waits until a record can be seen where the CA may look: at every name server of its zone, or at the configured ones.
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import type { DnsLookup } from './lookup.ts';
import type { DnsRecord } from './provider.ts';
import { describeServer, query, textsOf } from './query.ts';
import { readServerAddress, type ServerAddress } from './server-address.ts';
import { withinTime } from './time-limit.ts';

export interface PropagationOptions {
  /** Asked instead of the zone's own name servers, as recursive resolvers. Empty: the zone's own. */
  readonly resolvers: readonly string[];
  readonly limitMs: number;
  /** Longest pause between two looks. Default 2 s. */
  readonly pauseMs?: number;
}

interface Witness {
  readonly name: string | null;
  readonly address: ServerAddress;
  readonly recursive: boolean;
  /** What it answered last, to complete `name server … `; null: the record. */
  state: string | null;
}

const FIRST_PAUSE_MS = 250;
const PAUSE_MS = 2_000;
const MAX_SHOWN = 3;

/** Rejects with `dns_not_visible`, which tells who does not show the record and what it shows instead, or the signal's reason. */
export async function untilVisible(
  record: DnsRecord,
  lookup: DnsLookup,
  options: PropagationOptions,
  signal: AbortSignal,
): Promise<void> {
  let witnesses: readonly Witness[] = [];
  const look = async (limited: AbortSignal): Promise<void> => {
    witnesses = await witnessesOf(record, lookup, options, limited);
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const missing = witnesses.filter(({ state }) => state !== null);
      await Promise.all(missing.map((witness) => inspect(witness, record, limited)));
      if (witnesses.every(({ state }) => state === null)) return;
      await delay(Math.min(pauseMs, options.pauseMs ?? PAUSE_MS), undefined, { signal: limited });
      pauseMs *= 2;
    }
  };
  await withinTime(options.limitMs, signal, look, () => invisible(record, witnesses, options.limitMs));
}

async function witnessesOf(
  { fqdn }: DnsRecord,
  lookup: DnsLookup,
  { resolvers }: PropagationOptions,
  signal: AbortSignal,
): Promise<readonly Witness[]> {
  const state = 'has not answered';
  if (resolvers.length > 0)
    return resolvers.map((each) => ({ name: null, address: readServerAddress(each), recursive: true, state }));
  const servers = await lookup.nameServers(await lookup.zoneOf(fqdn, signal), signal);
  return servers.map((server) => ({ ...server, recursive: false, state }));
}

async function inspect(witness: Witness, { fqdn, value }: DnsRecord, signal: AbortSignal): Promise<void> {
  try {
    const answer = await query(witness.address, { name: fqdn, type: 'TXT', recursive: witness.recursive }, signal);
    const texts = textsOf(answer);
    if (texts.includes(value)) witness.state = null;
    else witness.state = texts.length > 0 ? `shows ${listed(texts)}` : `shows no TXT record (${answer.rcode})`;
  } catch (error) {
    signal.throwIfAborted();
    witness.state = messageOf(error);
  }
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_SHOWN).map((text) => `"${text.slice(0, 80)}"`);
  return texts.length > MAX_SHOWN ? `${shown.join(', ')} and ${texts.length - MAX_SHOWN} more` : shown.join(', ');
}

function invisible({ fqdn, value }: DnsRecord, witnesses: readonly Witness[], limitMs: number): PerantaraError {
  const missing = witnesses.filter(({ state }) => state !== null);
  const states = missing.map(({ address, name, state }) => `${describeServer(address, name)} ${state}`);
  const state = witnesses.length === 0 ? 'its name servers were not found' : states.join('; ');
  const advice = 'check that the record was put into the right zone, or raise dns.propagation';
  return new PerantaraError(
    `cannot see TXT record "${value}" at "${fqdn}" after ${limitMs / 1_000} s: ${state}; ${advice}`,
    {
      code: 'dns_not_visible',
      source: 'operator',
      retryable: true,
    },
  );
}
