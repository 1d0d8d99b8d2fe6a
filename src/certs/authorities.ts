// The authorities that a config names, each one object for as long as nothing about it changes: its connections, its health
// and the budget it has left belong to all names alike, and outlive a change of config.
import { isDeepStrictEqual } from 'node:util';
import type { AcmeConfig, Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { AcmeIssuer } from './acme/issuer.ts';
import { userAgent } from './acme/user-agent.ts';
import { Authority } from './authority.ts';
import type { AlpnCertificates } from './challenges/alpn-certificates.ts';
import type { ChallengeSolver } from './challenges/challenge-solver.ts';
import type { ChallengeTokens } from './challenges/challenge-tokens.ts';
import { HttpSolver } from './challenges/http-solver.ts';
import { createDnsSolvers } from './dns/solvers.ts';
import { LocalCa } from './local-ca.ts';
import { limitsOf } from './renewal/budget.ts';
import { BudgetLedger } from './renewal/budget-ledger.ts';
import type { Locker, Storage } from './storage/storage.ts';

export interface AuthoritiesOptions {
  readonly storage: Storage;
  readonly locker: Locker;
  readonly log: Logger;
  readonly clock: Clock;
  readonly challenges: ChallengeTokens;
  readonly alpnChallenges: AlpnCertificates;
  /** Whether this process listens at all. */
  readonly listens: boolean;
}

/** What an authority is made of; `proofs`: what its ways to prove names are made of. */
interface Known {
  readonly acme: AcmeConfig;
  readonly proofs: unknown;
  readonly authority: Authority;
}

export class Authorities {
  readonly #options: AuthoritiesOptions;
  readonly #localCa: LocalCa;
  readonly #local: Authority;
  /** By directory URL. */
  #known: ReadonlyMap<string, Known> = new Map();
  #former: Authority[] = [];

  constructor(config: Config, options: AuthoritiesOptions) {
    this.#options = options;
    this.#localCa = new LocalCa(options);
    this.#local = new Authority({ issuer: this.#localCa, ledger: null, rehearsal: null, clock: options.clock });
    this.adopt(config);
  }

  /** Where the local root certificate lies, or will. */
  get localRootPath(): string {
    return this.#localCa.rootPath;
  }

  /** `directory`: of the config adopted last; null: the local CA. */
  of(directory: string | null): Authority {
    return directory === null ? this.#local : this.#known.get(directory)!.authority;
  }

  /** Those of `config` from now on. */
  adopt(config: Config): void {
    const proofs = proofsOf(config);
    const { alpnChallenges, listens } = this.#options;
    alpnChallenges.unreachable = listens && config.listen.https.length > 0 ? null : NO_TLS;
    let solvers: readonly ChallengeSolver[] | null = null;
    const before = this.#known;
    const known = new Map<string, Known>();
    for (const acme of config.acme) {
      const last = before.get(acme.directory);
      if (last !== undefined && isDeepStrictEqual([last.acme, last.proofs], [acme, proofs])) {
        known.set(acme.directory, last);
        continue;
      }
      solvers ??= this.#solversOf(config);
      known.set(acme.directory, { acme, proofs, authority: this.#authorityOf(acme, solvers) });
    }
    this.#known = known;
    const former = [...before].filter(([directory, each]) => known.get(directory) !== each);
    this.#former.push(...former.map(([, { authority }]) => authority));
  }

  /** Closes those that no config names any more; once nobody uses them. */
  async closeFormer(): Promise<void> {
    await Promise.all(this.#former.splice(0).map((authority) => authority.close()));
  }

  async close(): Promise<void> {
    const authorities = [this.#local, ...[...this.#known.values()].map(({ authority }) => authority)];
    await Promise.all([...authorities.map((authority) => authority.close()), this.closeFormer()]);
  }

  #solversOf(config: Config): readonly ChallengeSolver[] {
    const { challenges, alpnChallenges, log, clock } = this.#options;
    const unheard = config.listen.http.length === 0 ? '"listen.http" is off' : null;
    return [new HttpSolver(challenges, unheard), alpnChallenges, ...createDnsSolvers(config.dns, { log, clock })];
  }

  #authorityOf(acme: AcmeConfig, solvers: readonly ChallengeSolver[]): Authority {
    const issuer = this.#issuerOf(acme, solvers);
    const limits = limitsOf(acme.directory);
    const ledger = limits === null ? null : new BudgetLedger({ issuerId: issuer.id, limits, ...this.#options });
    const hasRehearsal = acme.directory === LETSENCRYPT;
    const rehearsal = hasRehearsal ? this.#issuerOf({ ...acme, directory: LETSENCRYPT_STAGING }, solvers) : null;
    return new Authority({ issuer, ledger, rehearsal, clock: this.#options.clock });
  }

  #issuerOf(acme: AcmeConfig, solvers: readonly ChallengeSolver[]): AcmeIssuer {
    const { storage, locker, log, clock } = this.#options;
    const { directory: directoryUrl, email, trust, binding, preferredChain } = acme;
    const common = { storage, locker, log, clock, solvers, userAgent: userAgent() };
    return new AcmeIssuer({ directoryUrl, email, trust, binding, preferredChain, ...common });
  }
}

const NO_TLS = 'nobody listens for TLS here';
const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const LETSENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

function proofsOf({ dns, listen }: Config): unknown {
  return { dns, isHeard: listen.http.length > 0 };
}
