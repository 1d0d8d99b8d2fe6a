// DNS-PERSIST-01 (draft-ietf-acme-dns-persist): a record that the operator sets once and that stays. Sets and removes nothing;
// looks whether the record is there before the CA is told to, so that a missing one costs no failed authorization.
import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { ChallengeSolver, PendingChallenge } from '../challenges/challenge-solver.ts';
import { ancestors, type DnsLookup } from './lookup.ts';
import {
  judgePersistentRecord,
  type PersistentRecordWish,
  persistentName,
  persistentRecord,
  zoneFileLine,
} from './persistent-record.ts';

export interface DnsPersistSolverOptions {
  readonly lookup: DnsLookup;
  readonly log: Logger;
  readonly clock: Clock;
}

/** RFC 1035 section 2.3.4, as text. */
const LONGEST_NAME = 253;
/** The draft leaves it to the CA whether a record at a domain proves names below it. To these it does not (Boulder, Pebble). */
const LOOKS_NOT_ABOVE = /(^|\.)letsencrypt\.org$/i;
/** A record that ends sooner is worth a warning. */
const SOON_MS = 30 * 86_400_000;

export class DnsPersistSolver implements ChallengeSolver {
  readonly type = 'dns-persist-01';
  readonly #options: DnsPersistSolverOptions;

  constructor(options: DnsPersistSolverOptions) {
    this.#options = options;
  }

  unfit(identifier: string): string | null {
    if (isIP(identifier) !== 0) return 'DNS-PERSIST-01 proves names, not IP addresses';
    const name = persistentName(identifier);
    return name.length <= LONGEST_NAME
      ? null
      : `"${persistentName('NAME')}" would be longer than ${LONGEST_NAME} characters`;
  }

  async present(challenge: PendingChallenge, signal: AbortSignal): Promise<() => Promise<void>> {
    await this.check(challenge, signal);
    return async () => {};
  }

  /** Rejects with `dns_record_missing`, which tells the record to set, when neither the name has it nor, where the CA looks there, one above. */
  async check(wish: PersistentRecordWish, signal: AbortSignal): Promise<void> {
    const { identifier, issuerDomainNames } = wish;
    if (issuerDomainNames.length === 0)
      throw new PerantaraError(
        `cannot prove "${identifier}" by DNS-PERSIST-01: the CA does not say by which name it is known in the DNS`,
        {
          code: 'issuer_answer_invalid',
          source: 'issuer',
        },
      );
    const complaints: string[] = [];
    // A top-level domain alone gives nothing away for those below it.
    const above = ancestors(identifier).filter((name) => name !== identifier && name.includes('.'));
    const owners = issuerDomainNames.some((name) => LOOKS_NOT_ABOVE.test(name)) ? [identifier] : [identifier, ...above];
    for (const owner of owners) {
      if (await this.#isAt(owner, wish, complaints, signal)) return;
    }
    const { fqdn } = persistentRecord(wish);
    const state = complaints.length > 0 ? complaints.join('; ') : `there is no TXT record for this CA at "${fqdn}"`;
    const advice = `set ${zoneFileLine(persistentRecord(wish))}`;
    throw new PerantaraError(`cannot prove "${identifier}" by DNS-PERSIST-01: ${state}; ${advice}`, {
      code: 'dns_record_missing',
      source: 'operator',
      retryable: true,
    });
  }

  async #isAt(owner: string, wish: PersistentRecordWish, complaints: string[], signal: AbortSignal): Promise<boolean> {
    const { lookup, clock, log } = this.#options;
    const fqdn = persistentName(owner);
    const now = clock.now();
    for (const text of await lookup.texts(fqdn, signal)) {
      const verdict = judgePersistentRecord(text, wish, owner !== wish.identifier, now);
      if (verdict.fit) {
        const { persistUntil } = verdict;
        if (persistUntil !== null && persistUntil - now < SOON_MS)
          log.warn({ fqdn, until: new Date(persistUntil).toISOString() }, 'persistent DNS record ends soon');
        return true;
      }
      if (verdict.why !== null) complaints.push(`the TXT record at "${fqdn}" does not fit: ${verdict.why}`);
    }
    return false;
  }
}
