// One certificate looked after without the manager, for a verb: renewed now by a running process that shares the storage,
// or, when none takes it up, by this one.
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Authority } from './authority.ts';
import { CertificateAutomation } from './automation.ts';
import type { Certificate } from './certificate.ts';
import { openChallengeListener } from './challenges/challenge-listener.ts';
import type { ChallengeTokens } from './challenges/challenge-tokens.ts';
import { ManagedCertificate } from './managed-certificate.ts';
import type { ManagedCertificateServices } from './managed-certificate-services.ts';
import { attemptAllowedAt, lastObtainedAt } from './renewal/attempts.ts';
import { requestRenewal } from './renewal/renewal-request.ts';
import { type RenewalOutcome, RenewalWatch } from './renewal/renewal-watch.ts';
import { rankHoldings } from './serving.ts';
import { COMPROMISED } from './storage/compromised-keys.ts';
import type { ManagedWish } from './wanted-certificate.ts';

/** A running process looks every five seconds. */
const PATIENCE_MS = 12_000;

export interface RenewOptions {
  /** Also when the authority asked to wait. */
  readonly force: boolean;
  /** How long nobody may work on it before this process does. Default 12 s. */
  readonly patienceMs?: number;
  /** Told when this process goes to work itself. */
  readonly onAlone: () => void;
}

export class OneCertificate {
  readonly #wish: ManagedWish;
  readonly #services: ManagedCertificateServices;
  readonly #challenges: ChallengeTokens;
  readonly #listen: Config['listen'];

  /** `name`: see PlannedCertificate; must be planned. */
  constructor(name: string, config: Config, services: { readonly log: Logger; readonly clock: Clock }) {
    const automation = new CertificateAutomation(config, { ...services, contextOptions: {}, listens: false });
    const wish = automation.wanted.find((wanted) => wanted.kind === 'managed' && wanted.name === name);
    if (wish?.kind !== 'managed') throw new TypeError(`"${name}" is not planned`);
    this.#wish = wish;
    this.#services = automation.services;
    this.#challenges = automation.challenges;
    this.#listen = config.listen;
  }

  /** Resolves with what came of it. Rejects with the signal's reason, or with `storage_unwritable`. */
  async renew(options: RenewOptions, signal: AbortSignal): Promise<RenewalOutcome> {
    const { store, storage } = this.#services;
    const { name, issuers } = this.#wish;
    const ids = issuers.map(({ authority }) => authority.id);
    const watch = new RenewalWatch(store, storage, name, ids);
    await watch.begin();
    await requestRenewal(this.#services, ids, name, signal, options.force);
    const restsUntil = await this.#restsUntil();
    if (restsUntil > this.#services.clock.now()) return (await watch.outcomeNow()) ?? { kind: 'rests', at: restsUntil };
    const outcome = await watch.outcome(options.patienceMs ?? PATIENCE_MS, signal);
    if (outcome.kind !== 'ignored') return outcome;
    options.onAlone();
    await this.#tend(signal);
    return (await watch.outcomeNow()) ?? { kind: 'ignored' };
  }

  /** The certificate in use and its issuer, or null. */
  async current(): Promise<{ readonly authority: Authority; readonly certificate: Certificate } | null> {
    const managed = new ManagedCertificate(this.#wish, this.#services);
    for (const holding of managed.holdings) await holding.read();
    const [best] = rankHoldings(managed.holdings, this.#services.clock.now());
    if (best?.certificate == null || best.authority === null) return null;
    return { authority: best.authority, certificate: best.certificate };
  }

  /** Its key is never used again, by no process that shares the storage. */
  async condemn(certificate: Certificate): Promise<void> {
    const { compromised, clock, journal } = this.#services;
    await compromised.mark(certificate, clock.now(), `revoked for keyCompromise: ${this.#wish.name}`);
    await journal.note(COMPROMISED);
  }

  /** The first moment at which one of the issuers may be asked; see `attemptAllowedAt`. */
  async #restsUntil(): Promise<number> {
    const { store, clock } = this.#services;
    const ids = this.#wish.issuers.map(({ authority }) => authority.id);
    const memories = await Promise.all(ids.map(async (id) => ({ state: await store.loadState(id, this.#wish.name) })));
    const now = clock.now();
    const obtainedAt = lastObtainedAt(memories, now);
    return Math.min(...memories.map(({ state }) => attemptAllowedAt({ ...state, obtainedAt }, now, 'requested')));
  }

  async close(): Promise<void> {
    await Promise.all(this.#wish.issuers.map(({ authority }) => authority.close()));
  }

  /** One turn; validators are answered here, or by whatever process of ours has the port: answers lie in storage. */
  async #tend(signal: AbortSignal): Promise<void> {
    await this.#services.compromised.load();
    const managed = new ManagedCertificate(this.#wish, this.#services);
    await managed.load();
    const plain = this.#listen.http.filter(({ proxyProtocol }) => !proxyProtocol);
    const listener = await openChallengeListener(plain, (host, token) => this.#challenges.answer(host, token));
    try {
      await managed.tend(signal);
      signal.throwIfAborted();
    } finally {
      await listener.close();
    }
  }
}
