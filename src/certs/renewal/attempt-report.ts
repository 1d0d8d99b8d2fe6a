// What follows from an attempt, obtained, failed or postponed: when the next one is, and who hears of it.

import type { Certificate } from '../certificate.ts';
import { type CertificateEventName, certificateEvent } from '../events/certificate-event.ts';
import type { Holding } from '../holding.ts';
import type { ManagedCertificateServices } from '../managed-certificate-services.ts';
import type { CertificateState } from '../storage/certificate-state.ts';
import type { ManagedWish } from '../wanted-certificate.ts';
import { describeFailure } from './attempt-failure.ts';
import { nextAttemptAt } from './attempts.ts';
import type { BudgetWait } from './budget-ledger.ts';
import { leftRatio } from './renewal.ts';

export interface FailedTurn {
  /** In use, or null. */
  readonly certificate: Certificate | null;
  /** False: it was obtained, and could not be stored. */
  readonly stored: boolean;
  /** Never rejects. */
  readonly remember: (holding: Holding, change: Partial<CertificateState>) => Promise<void>;
}

export interface GoodTurn {
  readonly reason: string;
  /** Nothing was served before. */
  readonly first: boolean;
  readonly late: boolean;
}

/** With less of its life left, and a failed attempt behind it, a certificate is about to expire. */
const EXPIRING_RATIO = 1 / 4;
/** Said no more often than this. */
const WARNED_MS = 86_400_000;

export class AttemptReport {
  readonly #wish: ManagedWish;
  readonly #services: ManagedCertificateServices;

  constructor(wish: ManagedWish, services: ManagedCertificateServices) {
    this.#wish = wish;
    this.#services = services;
  }

  /** `late`: it was obtained in an earlier turn, and is stored only now. */
  succeeded(certificate: Certificate, { authority }: Holding, turn: GoodTurn): void {
    const { log, tell, clock } = this.#services;
    const { name } = this.#wish;
    const { names, notAfter } = certificate;
    const issuer = authority!.issuer.name;
    const kind = turn.first ? 'obtained' : 'renewed';
    const { reason } = turn;
    const event = certificateEvent(`certificate_${kind}`, { now: clock.now(), name, names, issuer, notAfter, reason });
    log.info(
      { event: event.event, name, issuer, notAfter: new Date(notAfter), reason },
      `certificate ${turn.late ? 'stored' : kind}`,
    );
    tell(event);
  }

  /** One failure at one issuer, or, when it is our own, at all of them. */
  async fail(holdings: readonly Holding[], error: unknown, turn: FailedTurn): Promise<void> {
    const now = this.#services.clock.now();
    const changes = holdings.map((holding) => this.#changeOf(holding, error, turn.certificate, now));
    const failures = Math.max(...changes.map((change) => change.failures));
    const nextAt = Math.min(...changes.map((change) => change.nextAttemptAt));
    const issuer = holdings.map(({ authority }) => authority!.issuer.name).join(', ');
    this.#services.log.error(
      {
        event: 'certificate_failed',
        name: this.#wish.name,
        issuer,
        failures,
        nextAttemptAt: new Date(nextAt),
        err: error,
      },
      turn.stored ? 'certificate not obtained' : 'certificate not stored',
    );
    this.#tell('certificate_failed', issuer, turn.certificate, error, nextAt);
    for (const [index, holding] of holdings.entries()) await turn.remember(holding, changes[index]!);
  }

  /** After a turn that failed: a certificate that is near its end is told about once a day. */
  async warnIfExpiring(holdings: readonly Holding[], turn: FailedTurn): Promise<void> {
    const { certificate } = turn;
    const now = this.#services.clock.now();
    const failed = holdings.find(({ state }) => state.lastError !== null);
    if (certificate === null || failed === undefined || leftRatio(certificate, now) >= EXPIRING_RATIO) return;
    const { warnedAt, lastError, nextAttemptAt: nextAt } = failed.state;
    if (warnedAt !== null && warnedAt <= now && now - warnedAt < WARNED_MS) return;
    const issuer = failed.authority!.issuer.name;
    this.#services.log.warn(
      {
        event: 'certificate_expiring',
        name: this.#wish.name,
        issuer,
        notAfter: new Date(certificate.notAfter),
        lastError: lastError!.message,
      },
      'certificate about to expire',
    );
    this.#tell('certificate_expiring', issuer, certificate, lastError!.message, nextAt);
    await turn.remember(failed, { warnedAt: now });
  }

  /** It is due and nobody may be asked yet. */
  waits(holdings: readonly Holding[], at: number): void {
    const { state } = holdings.find((holding) => holding.state.lastError !== null) ?? holdings[0]!;
    this.#services.log.info(
      {
        name: this.#wish.name,
        nextAttemptAt: new Date(at),
        lastError: state.lastError?.message,
        limit: state.waiting?.limit,
      },
      'certificate waits for its next attempt',
    );
  }

  waitsForBudget({ authority }: Holding, { at, limit }: BudgetWait): void {
    const issuer = authority!.issuer.name;
    this.#services.log.warn(
      { name: this.#wish.name, issuer, limit, nextAttemptAt: new Date(at) },
      'certificate waits for a limit of its issuer',
    );
  }

  #changeOf(
    { state, authority }: Holding,
    error: unknown,
    certificate: Certificate | null,
    now: number,
  ): Pick<CertificateState, 'failures' | 'lastError'> & { failingSince: number; nextAttemptAt: number } {
    const { class: kind, message, retryAfterMs, judged } = describeFailure(error);
    const failures = state.failures + 1;
    const failingSince = state.failingSince === null || state.failingSince > now ? now : state.failingSince;
    const mayHurry = authority?.ledger?.mayHurry(this.#wish.names) ?? true;
    const failure = { failures, failingSince, retryAfterMs, judged, certificate, mayHurry };
    return {
      failures,
      failingSince,
      lastError: { at: now, message, class: kind, patience: retryAfterMs !== null },
      nextAttemptAt: nextAttemptAt(failure, now, this.#services.random()),
    };
  }

  #tell(
    event: CertificateEventName,
    issuer: string,
    certificate: Certificate | null,
    error: unknown,
    nextAt: number | null,
  ): void {
    const { tell, clock } = this.#services;
    const { name, names } = this.#wish;
    const notAfter = certificate?.notAfter ?? null;
    tell(certificateEvent(event, { now: clock.now(), name, names, issuer, notAfter, error, nextAttemptAt: nextAt }));
  }
}
