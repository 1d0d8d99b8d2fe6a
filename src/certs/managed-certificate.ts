// One name and its certificate for life: loaded, judged, obtained or renewed (the same road), stored, published.
// Decides nothing by itself – renewal.ts does – and never waits for its next turn – the manager does.
import type { Clock } from '../core/clock.ts';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { AcmeProblem } from './acme/problem.ts';
import { attemptAllowedAt, nextAttemptAt } from './attempts.ts';
import { type Certificate, verifyIssued } from './certificate.ts';
import { type CertificateState, type CertificateStore, certificateFolder, FRESH_STATE } from './certificate-store.ts';
import type { CertificateRequest, IssuedCertificate, Issuer } from './issuer.ts';
import { needsRenewal, type RenewReason } from './renewal.ts';
import type { ServedCertificate } from './resolver.ts';
import type { Lock, Locker, Storage } from './storage.ts';

/** Where certificates go live: the resolver of this process, later of every worker. */
export interface CertificatePublisher {
  /** Throws a PerantaraError when the certificate cannot be served; the one before then stays. */
  publish(pattern: string, certificate: ServedCertificate): void;
  /** The same unchecked, at next to no cost: for one that was published in an earlier life. */
  restore(pattern: string, certificate: ServedCertificate): void;
  withdraw(pattern: string): void;
}

export interface ManagedCertificateServices {
  readonly storage: Storage;
  readonly store: CertificateStore;
  readonly locker: Locker;
  readonly publisher: CertificatePublisher;
  readonly log: Logger;
  readonly clock: Clock;
  /** In [0, 1); spreads repeated attempts. */
  readonly random: () => number;
}

export class ManagedCertificate {
  /** The host pattern, which is also the certificate's only name. */
  readonly name: string;
  readonly issuer: Issuer;
  readonly #services: ManagedCertificateServices;
  #certificate: Certificate | null = null;
  /** Fingerprint of the newest certificate that the publisher took after checking it. */
  #accepted: string | null = null;
  #recognized = true;
  #state: CertificateState = FRESH_STATE;
  /** Obtained and served, but storing it failed: stored at the next turn without asking the CA again. */
  #unsaved: Certificate | null = null;
  /** Tells the issuer that it is stored. */
  #settle: IssuedCertificate['settle'];
  /** False until the stored files were looked at under the lock, where what a crash left can be mended. */
  #tended = false;

  constructor(name: string, issuer: Issuer, services: ManagedCertificateServices) {
    this.name = name;
    this.issuer = issuer;
    this.#services = services;
  }

  get failures(): number {
    return this.#state.failures;
  }

  /**
   * Publishes the stored certificate, if there is a usable one; that it can be served is checked at the first turn.
   * Never rejects, never asks the issuer.
   */
  async load(): Promise<void> {
    const { store, publisher, log } = this.#services;
    try {
      this.#state = await store.loadState(this.issuer.id, this.name);
      const certificate = await store.read(this.issuer.id, this.name);
      if (certificate !== null) publisher.restore(this.name, certificate);
      await this.#hold(certificate);
    } catch (error) {
      log.error({ name: this.name, err: error }, 'stored certificate unreadable');
    }
  }

  /** When `tend` should be called next; the past means now. */
  dueAt(now: number): number {
    if (!this.#tended) return now;
    const at = this.#unsaved === null ? this.#decide(now).at : now;
    return Math.max(at, attemptAllowedAt(this.#state, now));
  }

  /**
   * One turn: lock, look again (another process may have been here), obtain if due, store, publish, unlock. Never
   * rejects: a failure is logged, remembered and postpones the next turn. Ends soon after `signal` aborts.
   */
  async tend(signal: AbortSignal): Promise<void> {
    const { locker, store, log, clock } = this.#services;
    let lock: Lock | undefined;
    let due = this.#decide(clock.now()).action === 'renew' || this.#unsaved !== null;
    try {
      lock = await locker.acquire(certificateFolder(this.issuer.id, this.name), signal);
      if (this.#unsaved === null) {
        const stored = await store.load(this.issuer.id, this.name);
        this.#state = await store.loadState(this.issuer.id, this.name);
        await this.#adopt(stored);
      }
      const decision = this.#decide(clock.now());
      due = decision.action === 'renew' || this.#unsaved !== null;
      if (due && this.#mayAttempt()) await this.#obtain(decision.reason, lock, signal);
      // Another process, or a crash between storing and remembering, overtook what is remembered.
      else if (!due && this.#state.failures > 0) await this.#remember({ ...FRESH_STATE, obtainedAt: clock.now() });
    } catch (error) {
      if (signal.aborted) return;
      if (due) await this.#fail(error);
      else log.warn({ name: this.name, err: error }, 'stored certificate not checked');
    } finally {
      this.#tended = true;
      await lock?.release();
    }
  }

  async #obtain(reason: RenewReason | 'lifetime', lock: Lock, signal: AbortSignal): Promise<void> {
    const { storage, store, log, clock } = this.#services;
    const outcome = this.#unsaved !== null ? 'stored' : this.#certificate === null ? 'obtained' : 'renewed';
    await storage.assertWritable();
    if (this.#unsaved === null) {
      const request: CertificateRequest = {
        names: [this.name],
        keyType: 'p256',
        profile: null,
        challenges: ['http-01'],
        replaces: null,
      };
      const issued = await this.issuer.issue(request, AbortSignal.any([signal, lock.lost]));
      verifyIssued(issued.certificate, [this.name], clock.now());
      this.#unsaved = issued.certificate;
      this.#settle = issued.settle;
    }
    const certificate = this.#unsaved;
    try {
      await lock.assertHeld();
      await store.save(this.issuer.id, this.name, certificate);
      this.#unsaved = null;
      await this.#settle?.();
    } finally {
      if (lock.lost.aborted) this.#unsaved = null;
      else await this.#adopt(certificate);
    }
    if (this.#certificate !== certificate)
      throw new PerantaraError(`cannot serve the certificate issued for "${this.name}": OpenSSL refuses it`, {
        code: 'certificate_unfit',
        source: 'issuer',
      });
    const fields = { name: this.name, issuer: this.issuer.name, notAfter: new Date(certificate.notAfter), reason };
    log.info(fields, `certificate ${outcome}`);
    await this.#remember({ ...FRESH_STATE, obtainedAt: clock.now() });
  }

  async #fail(error: unknown): Promise<void> {
    const { clock, log, random } = this.#services;
    const now = clock.now();
    const failures = this.#state.failures + 1;
    const retryAfterMs = error instanceof AcmeProblem ? error.retryAfterMs : null;
    const judged = (error instanceof AcmeProblem && error.status < 500) || codeOf(error) === 'certificate_unfit';
    const at = nextAttemptAt(
      { failures, failingSince: now, retryAfterMs, judged, certificate: this.#certificate, mayHurry: false },
      now,
      random(),
    );
    log.error(
      { name: this.name, issuer: this.issuer.name, failures, nextAttemptAt: new Date(at), err: error },
      this.#unsaved === null ? 'certificate not obtained' : 'certificate not stored',
    );
    const state = { ...this.#state, failures, lastError: { at: now, message: messageOf(error) }, nextAttemptAt: at };
    if (codeOf(error) === 'lock_lost') this.#state = state;
    else await this.#remember(state);
  }

  /** Serves the certificate from now on. What cannot be served counts as missing. */
  async #adopt(certificate: Certificate | null): Promise<void> {
    if (certificate !== null && certificate.fingerprint !== this.#accepted) {
      try {
        this.#services.publisher.publish(this.name, certificate);
        this.#accepted = certificate.fingerprint;
      } catch (error) {
        this.#services.log.error({ name: this.name, err: error }, 'certificate refused');
        certificate = null;
      }
    }
    await this.#hold(certificate);
  }

  async #hold(certificate: Certificate | null): Promise<void> {
    this.#certificate = certificate;
    this.#recognized = certificate === null || (await this.issuer.recognizes(certificate));
  }

  #decide(now: number): ReturnType<typeof decideAlone> {
    return decideAlone(this.#certificate, this.name, this.issuer.id, this.#recognized, now);
  }

  #mayAttempt(): boolean {
    const { clock, log } = this.#services;
    const now = clock.now();
    const at = attemptAllowedAt(this.#state, now);
    if (at <= now) return true;
    log.info(
      { name: this.name, nextAttemptAt: new Date(at), lastError: this.#state.lastError?.message },
      'certificate waits for its next attempt',
    );
    return false;
  }

  async #remember(state: CertificateState): Promise<void> {
    this.#state = state;
    try {
      await this.#services.store.saveState(this.issuer.id, this.name, state);
    } catch (error) {
      this.#services.log.warn({ name: this.name, err: error }, 'certificate state not stored');
    }
  }
}

/** By its own lifetime and its one issuer: P-256, no profile, no window. */
function decideAlone(
  certificate: Certificate | null,
  name: string,
  issuerId: string,
  recognized: boolean,
  now: number,
) {
  const plain = { keyType: 'p256', profile: null, compromised: false, window: null, requested: false } as const;
  const facts = certificate === null ? null : { ...certificate, ...plain, issuerId, recognized };
  return needsRenewal(facts, { names: [name], keyType: 'p256', profiles: new Map([[issuerId, null]]) }, now);
}
