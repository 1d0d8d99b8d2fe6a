// Asks the issuer when it would like a certificate to be renewed (ARI, RFC 9773), in turns of their own: obtaining never
// waits for it, and it never fails a certificate. renewal-window.ts judges the answer and says when to ask again.
import { AcmeProblem } from '../acme/problem.ts';
import { ariCertId } from '../certificate.ts';
import type { Holding } from '../holding.ts';
import type { ManagedCertificateServices } from '../managed-certificate-services.ts';
import type { Lock } from '../storage/storage.ts';
import { adoptRenewalInfo, checkDueAt, postponeCheck } from './renewal-window.ts';

const MINUTE_MS = 60_000;
/** The first question of a life, and of a certificate, comes so much later at most: thousands start together. */
const SPREAD_MS = 60 * MINUTE_MS;

export class WindowCheck {
  readonly #name: string;
  readonly #services: ManagedCertificateServices;
  #notBefore = 0;

  constructor(name: string, services: ManagedCertificateServices) {
    this.#name = name;
    this.#services = services;
  }

  /** Not in the next minute, and at random within the hour. */
  postpone(): void {
    const { clock, random } = this.#services;
    this.#notBefore = clock.now() + MINUTE_MS + Math.floor(random() * SPREAD_MS);
  }

  /** When to ask; Infinity when there is nobody to ask or nothing to ask about. */
  dueAt(holding: Holding | null, now: number): number {
    if (holding === null || holding.authority === null || !holding.authority.tells(holding.since))
      return Number.POSITIVE_INFINITY;
    const { failedCheck, window } = holding.state;
    const postponedTo = this.#notBefore - now > MINUTE_MS + SPREAD_MS ? 0 : this.#notBefore;
    return Math.max(postponedTo, checkDueAt(failedCheck ?? window, now));
  }

  /** Asks, if it is time. Rejects only when the signal aborts or the state can no longer be stored. */
  async run(holding: Holding | null, lock: Lock, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#services;
    if (holding === null || this.dueAt(holding, clock.now()) > clock.now()) return;
    const certificate = holding.certificate!;
    const { window, failedCheck } = holding.state;
    try {
      const info = await holding.authority!.renewalInfo(certificate, AbortSignal.any([signal, lock.lost]));
      // Not at once again, whatever the clocks say of when the certificate was obtained.
      if (info === null) return this.postpone();
      const subject = { ...certificate, id: ariCertId(certificate) ?? certificate.fingerprint };
      const next = adoptRenewalInfo(window, info, subject, clock.now(), random);
      if (next.at !== window?.at)
        log.info(
          { name: this.#name, renewAt: new Date(next.at), explanation: next.explanationUrl ?? undefined },
          'renewal window learned from the issuer',
        );
      await holding.remember({ window: next, failedCheck: null }, lock);
    } catch (error) {
      signal.throwIfAborted();
      // Said once; the rule of the lifetime holds meanwhile.
      const level = failedCheck === null ? 'warn' : 'debug';
      log[level]({ name: this.#name, err: error }, 'renewal window not learned from the issuer');
      const retryAfterMs = error instanceof AcmeProblem ? error.retryAfterMs : null;
      const failed = postponeCheck(failedCheck, retryAfterMs, clock.now(), random);
      await holding.remember({ failedCheck: failed }, lock);
    }
  }
}
