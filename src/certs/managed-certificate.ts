// One certificate for life, from whichever of its issuers: loaded, judged, obtained or renewed (the same road), stored,
// published. Decides nothing by itself – renewal.ts and attempts.ts do – and never waits for its next turn – the manager does.
import { codeOf, PerantaraError } from '../core/errors.ts';
import { byHealth, Holding } from './holding.ts';
import { issueOnce } from './issuance.ts';
import type { IssuedCertificate } from './issuer.ts';
import type { ManagedCertificateServices } from './managed-certificate-services.ts';
import { describeFailure } from './renewal/attempt-failure.ts';
import { AttemptReport, type FailedTurn } from './renewal/attempt-report.ts';
import { attemptAllowedAt, lastObtainedAt } from './renewal/attempts.ts';
import { needsRenewal, type RenewalDecision, type RenewalWish, type RenewReason } from './renewal/renewal.ts';
import { WindowCheck } from './renewal/window-check.ts';
import { Serving } from './serving.ts';
import { type CertificateState, FRESH_STATE, forgiven, settled } from './storage/certificate-state.ts';
import { certificateLock } from './storage/certificate-store.ts';
import type { Lock } from './storage/storage.ts';
import type { ManagedWish } from './wanted-certificate.ts';

/** Obtained and served, but not stored yet: stored at the next turn without asking anybody again. */
interface Unsaved {
  readonly holding: Holding;
  readonly issued: IssuedCertificate;
  readonly reason: RenewReason;
  readonly first: boolean;
}

type TimedDecision = Exclude<RenewalDecision, { action: 'nothing' }>;

export class ManagedCertificate {
  readonly wish: ManagedWish;
  readonly serving: Serving;
  readonly #services: ManagedCertificateServices;
  readonly #renewalWish: RenewalWish;
  readonly #check: WindowCheck;
  readonly #report: AttemptReport;
  /** In the order of the issuers; one that is no longer allowed may follow. */
  readonly #holdings: Holding[];
  #unsaved: Unsaved | null = null;
  /** False until the stored files were looked at under the lock, where what a crash left can be mended. */
  #tended = false;

  constructor(wish: ManagedWish, services: ManagedCertificateServices) {
    this.wish = wish;
    this.#services = services;
    this.#holdings = wish.issuers.map(
      ({ authority, profile }) =>
        new Holding({ ...services, name: wish.name, issuerId: authority.id, authority, profile }),
    );
    this.#renewalWish = {
      names: wish.names,
      keyType: wish.keyType,
      profiles: new Map(wish.issuers.map(({ authority, profile }) => [authority.id, profile?.name ?? null])),
    };
    this.serving = new Serving(services.publisher, wish.names, wish.part);
    this.#check = new WindowCheck(wish.name, services);
    this.#report = new AttemptReport(wish, services);
  }

  get name(): string {
    return this.wish.name;
  }

  /** In a row, at the issuer that failed most. */
  get failures(): number {
    return Math.max(...this.#holdings.map(({ state }) => state.failures));
  }

  /** Every certificate and state, the first issuer's first; for those who only look. */
  get holdings(): readonly Holding[] {
    return this.#holdings;
  }

  get served(): Holding | null {
    return this.serving.served;
  }

  /**
   * Publishes the best stored certificate, if there is one; that it can be served is checked at the first turn. Never
   * rejects, never asks an issuer.
   */
  async load(): Promise<void> {
    const { clock } = this.#services;
    for (const holding of this.#holdings) await this.#read(holding);
    this.serving.restore(this.#holdings, clock.now());
    this.#check.postpone();
  }

  /** Serves what an issuer that is no longer allowed once issued, until an allowed one has given another. Never rejects. */
  async inherit(issuerId: string): Promise<void> {
    const former = new Holding({ ...this.#services, name: this.name, issuerId, authority: null, profile: null });
    await this.#read(former);
    if (former.certificate === null) return;
    this.#holdings.push(former);
    this.serving.restore(this.#holdings, this.#services.clock.now());
  }

  /** Another process stored something: look at once. */
  stir(): void {
    this.#tended = false;
  }

  /** When `tend` should be called next; the past means now. */
  dueAt(now: number): number {
    if (!this.#tended) return now;
    // It is stored again, nobody is asked: that it was obtained just now does not matter.
    if (this.#unsaved !== null) return attemptAllowedAt({ ...this.#unsaved.holding.state, obtainedAt: null }, now);
    const { action, at, reason } = this.#decide(now);
    const allowedAt = Math.min(...this.#askable().map((holding) => this.#allowedAt(holding, reason, now)));
    const next = Math.max(at, allowedAt);
    return action === 'renew' ? next : Math.min(next, this.#check.dueAt(this.served, now));
  }

  /** Whether the turn that is due is more than a question to the issuer that can wait. */
  urgent(now: number): boolean {
    return !this.#tended || this.#isDue(now);
  }

  /**
   * One turn: lock, look again (another process may have been here), obtain if due, store, publish, unlock. Never
   * rejects: a failure is logged, remembered and postpones the next turn. Ends soon after `signal` aborts.
   */
  async tend(signal: AbortSignal): Promise<void> {
    const { locker, log, clock } = this.#services;
    const wasTended = this.#tended;
    this.#tended = true; // what others store from now on is for another turn
    let lock: Lock | undefined;
    let due = this.#isDue(clock.now());
    try {
      lock = await locker.acquire(certificateLock(this.name), signal);
      if (this.#unsaved === null) {
        for (const holding of this.#holdings) await holding.load();
        this.#serve();
      }
      due = this.#isDue(clock.now());
      if (!due && wasTended) {
        await this.#check.run(this.served, lock, signal);
        due = this.#isDue(clock.now());
      }
      if (due) await this.#obtain(lock, signal);
      else await this.#settle(lock);
    } catch (error) {
      if (signal.aborted) return;
      if (due) await this.#failOwn(error, lock ?? null);
      else log.warn({ name: this.name, err: error }, 'stored certificate not checked');
      this.#check.postpone();
    } finally {
      await lock?.release();
    }
  }

  /** Asks one issuer after the other, as far as they may be asked, until one has issued. Rejects when none could. */
  async #obtain(lock: Lock, signal: AbortSignal): Promise<void> {
    const { storage, clock } = this.#services;
    if (this.#unsaved !== null) {
      await storage.assertWritable();
      return this.#keep(this.#unsaved, lock);
    }
    const now = clock.now();
    const { reason } = this.#decide(now);
    const allowed = this.#askable().filter((holding) => this.#allowedAt(holding, reason, now) <= now);
    if (allowed.length === 0) return this.#report.waits(this.#askable(), this.dueAt(now));
    await storage.assertWritable();
    for (const holding of byHealth(allowed)) {
      try {
        if (await this.#obtainFrom(holding, reason, lock, signal)) return;
      } catch (error) {
        if (signal.aborted || describeFailure(error).own) throw error;
        await this.#report.fail([holding], error, this.#failedTurn(lock));
      }
    }
    await this.#report.warnIfExpiring(allowed, this.#failedTurn(lock));
  }

  /** False when the order must wait for the issuer's budget. */
  async #obtainFrom(holding: Holding, reason: RenewReason, lock: Lock, outer: AbortSignal): Promise<boolean> {
    const signal = AbortSignal.any([outer, lock.lost]);
    const remember = (change: Partial<CertificateState>): Promise<void> => this.#remember(holding, change, lock);
    const issued = await issueOnce({ ...this.#services, wish: this.wish, holding, remember }, signal);
    if ('limit' in issued) {
      await remember({ waiting: issued });
      this.#report.waitsForBudget(holding, issued);
      return false;
    }
    this.#unsaved = { holding, issued, reason, first: this.served === null };
    await this.#keep(this.#unsaved, lock);
    return true;
  }

  /** Stores and serves what was issued; served also when it cannot be stored. */
  async #keep(unsaved: Unsaved, lock: Lock): Promise<void> {
    const { holding, issued } = unsaved;
    const { certificate } = issued;
    let lost = false;
    const isLate = holding.certificate === certificate;
    try {
      await holding.save(certificate, lock);
      this.#unsaved = null;
      await issued.settle?.();
    } catch (error) {
      lost = lock.lost.aborted || codeOf(error) === 'lock_lost';
      throw error;
    } finally {
      if (lost) this.#unsaved = null;
      else {
        holding.hold(certificate, this.#services.clock.now());
        this.#serve();
      }
    }
    if (this.served?.certificate !== certificate)
      throw new PerantaraError(`cannot serve the certificate issued for "${this.name}": OpenSSL refuses it`, {
        code: 'certificate_unfit',
        source: 'issuer',
      });
    await this.#succeed(unsaved, isLate, lock);
  }

  async #succeed({ holding, issued, reason, first }: Unsaved, late: boolean, lock: Lock): Promise<void> {
    const { certificate, profile, challenge } = issued;
    this.#report.succeeded(certificate, holding, { reason, first, late });
    this.#check.postpone();
    const state: CertificateState = {
      ...FRESH_STATE,
      fingerprint: certificate.fingerprint,
      obtainedAt: this.#services.clock.now(),
      issued: { profile, wishedProfile: holding.profile?.name ?? null, challenge },
    };
    await this.#remember(holding, state, lock);
    for (const other of this.#askable())
      if (other !== holding) await this.#remember(other, forgiven(other.state), lock);
  }

  /** Nothing is due. */
  async #settle(lock: Lock): Promise<void> {
    for (const holding of this.#askable())
      await this.#remember(holding, (holding === this.served ? settled : forgiven)(holding.state), lock);
  }

  /** Storage, or something else of ours, was in the way: no issuer is to blame. */
  async #failOwn(error: unknown, lock: Lock | null): Promise<void> {
    const holdings = this.#unsaved === null ? this.#askable() : [this.#unsaved.holding];
    await this.#report.fail(holdings, error, this.#failedTurn(lock));
    await this.#report.warnIfExpiring(holdings, this.#failedTurn(lock));
  }

  #failedTurn(lock: Lock | null): FailedTurn {
    return {
      certificate: this.served?.certificate ?? null,
      stored: this.#unsaved === null,
      remember: (holding, change) => this.#remember(holding, change, lock),
    };
  }

  #serve(): void {
    const { log, clock } = this.#services;
    this.serving.renew(this.#holdings, clock.now(), (error) =>
      log.error({ name: this.name, err: error }, 'certificate refused'),
    );
  }

  #isDue(now: number): boolean {
    return this.#unsaved !== null || this.#decide(now).action === 'renew';
  }

  #decide(now: number): TimedDecision {
    const holding = this.served ?? this.#holdings.find((each) => each.compromised);
    const facts = holding?.facts() ?? null;
    const requested = this.#holdings.some(({ state }) => state.requestedAt !== null);
    return needsRenewal(facts === null ? null : { ...facts, requested }, this.#renewalWish, now);
  }

  /** Those of issuers that are allowed. */
  #askable(): Holding[] {
    return this.#holdings.filter(({ authority }) => authority !== null);
  }

  /** A name that was just obtained is left alone whichever issuer it came from. */
  #allowedAt(holding: Holding, reason: RenewReason | 'lifetime', now: number): number {
    const obtainedAt = lastObtainedAt(this.#holdings, now);
    return Math.max(attemptAllowedAt({ ...holding.state, obtainedAt }, now, reason), holding.waitsUntil(now));
  }

  /** Never rejects: what cannot be stored is remembered here. */
  async #remember(holding: Holding, change: Partial<CertificateState> | null, lock: Lock | null): Promise<void> {
    if (change === null) return;
    try {
      await holding.remember(change, lock);
    } catch (error) {
      if (codeOf(error) !== 'lock_lost')
        this.#services.log.warn({ name: this.name, err: error }, 'certificate state not stored');
    }
  }

  async #read(holding: Holding): Promise<void> {
    try {
      await holding.read();
    } catch (error) {
      this.#services.log.error({ name: this.name, err: error }, 'stored certificate unreadable');
    }
  }
}
