// DNS-01 (RFC 8555 section 8.4): the digest of the key authorization as a TXT record, seen by everybody before the CA looks.
// The record goes again in every case: proved, failed, aborted.
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DnsConfig } from '../../config/config.ts';
import { PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { ChallengeSolver, PendingChallenge } from '../challenges/challenge-solver.ts';
import { followAliases } from './delegation.ts';
import type { DnsLookup } from './lookup.ts';
import { type PropagationOptions, untilVisible } from './propagation.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';
import { withinTime } from './time-limit.ts';

export interface Dns01SolverOptions {
  readonly provider: DnsProvider;
  readonly lookup: DnsLookup;
  readonly config: Omit<DnsConfig, 'provider'>;
  readonly log: Logger;
  /** The provider's longest time for one record. Default 1 min. */
  readonly providerLimitMs?: number;
  /** Longest pause between two looks whether a record is visible. Default 2 s. */
  readonly pauseMs?: number;
}

const PREFIX = '_acme-challenge.';
/** RFC 1035 section 2.3.4, as text. */
const LONGEST_NAME = 253;
const PROVIDER_LIMIT_MS = 60_000;
const CLEAN_UP_ATTEMPTS = 2;
/** A shutdown waits for it. */
const CLEAN_UP_LIMIT_MS = 15_000;

export class Dns01Solver implements ChallengeSolver {
  readonly type = 'dns-01';
  readonly #options: Dns01SolverOptions;
  /** How many challenges need a record right now: two orders may be given the same authorization. */
  readonly #uses = new Map<string, number>();
  /** Records that are being taken away; whoever needs one again waits for that. */
  readonly #removals = new Map<string, Promise<void>>();

  constructor(options: Dns01SolverOptions) {
    this.#options = options;
  }

  unfit(identifier: string): string | null {
    if (isIP(identifier) !== 0) return 'DNS-01 proves names, not IP addresses';
    return `${PREFIX}${identifier}`.length <= LONGEST_NAME
      ? null
      : `"${PREFIX}NAME" would be longer than ${LONGEST_NAME} characters`;
  }

  async present({ identifier, keyAuthorization }: PendingChallenge, signal: AbortSignal): Promise<() => Promise<void>> {
    signal.throwIfAborted();
    const { provider, config } = this.#options;
    const fqdn = await this.#place(`${PREFIX}${identifier}`, signal);
    const value = createHash('sha256').update(keyAuthorization).digest('base64url');
    const record: DnsRecord = { fqdn, value, ttlSeconds: Math.ceil(config.ttlMs / 1_000) };
    this.#claim(record);
    try {
      await this.#removals.get(keyOf(record));
      await this.#bounded('present', record, signal, (limited) => provider.present(record, limited));
      if (config.check) await this.#untilVisible(record, signal);
      if (config.settleMs > 0) await delay(config.settleMs, undefined, { signal });
    } catch (error) {
      // It may be there all the same.
      await this.#release(record);
      signal.throwIfAborted();
      throw error;
    }
    let released: Promise<void> | null = null;
    return () => {
      released ??= this.#release(record);
      return released;
    };
  }

  async #place(name: string, signal: AbortSignal): Promise<string> {
    try {
      return await followAliases(name, this.#options.lookup, signal);
    } catch (error) {
      // Whoever wants no look may have no resolver that knows the zone.
      if (signal.aborted || this.#options.config.check || !(error instanceof PerantaraError) || !error.retryable)
        throw error;
      return name;
    }
  }

  #untilVisible(record: DnsRecord, signal: AbortSignal): Promise<void> {
    const { lookup, config, pauseMs } = this.#options;
    const { resolvers, propagationMs: limitMs } = config;
    const options: PropagationOptions = { resolvers, limitMs, ...(pauseMs === undefined ? {} : { pauseMs }) };
    return untilVisible(record, lookup, options, signal);
  }

  #claim(record: DnsRecord): void {
    const key = keyOf(record);
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
  }

  /** Takes the record away when nobody else needs it. Never rejects. */
  async #release(record: DnsRecord): Promise<void> {
    const key = keyOf(record);
    const left = (this.#uses.get(key) ?? 1) - 1;
    this.#uses.set(key, left);
    if (left > 0) return;
    this.#uses.delete(key);
    const removal = this.#remove(record);
    this.#removals.set(key, removal);
    await removal;
    if (this.#removals.get(key) === removal) this.#removals.delete(key);
  }

  async #remove(record: DnsRecord): Promise<void> {
    const { provider, log } = this.#options;
    const never = new AbortController().signal;
    const cleanUp = (limited: AbortSignal): Promise<void> => provider.cleanUp(record, limited);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#bounded('remove', record, never, cleanUp, CLEAN_UP_LIMIT_MS);
        return;
      } catch (err) {
        if (attempt < CLEAN_UP_ATTEMPTS && err instanceof PerantaraError && err.retryable) continue;
        log.warn({ fqdn: record.fqdn, value: record.value, err }, 'DNS record not removed');
        return;
      }
    }
  }

  #bounded(
    verb: string,
    { fqdn }: DnsRecord,
    signal: AbortSignal,
    work: (limited: AbortSignal) => Promise<void>,
    mostMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { provider, providerLimitMs = PROVIDER_LIMIT_MS } = this.#options;
    const limitMs = Math.min(providerLimitMs, mostMs);
    const state = `it is not done after ${limitMs / 1_000} s`;
    const details = { code: 'dns_provider_timeout', source: 'operator', retryable: true } as const;
    const late = () =>
      new PerantaraError(`cannot ${verb} the TXT record at "${fqdn}" by ${provider.name}: ${state}`, details);
    return withinTime(limitMs, signal, work, late);
  }
}

function keyOf({ fqdn, value }: DnsRecord): string {
  return `${fqdn} ${value}`;
}
