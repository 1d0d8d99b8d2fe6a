// An issuer as all names share it: its budget, its health, whether it tells renewal windows, and where to rehearse.
import type { Clock } from '../core/clock.ts';
import type { Certificate } from './certificate.ts';
import type { Issuer, RenewalInfo } from './issuer.ts';
import type { BudgetLedger } from './renewal/budget-ledger.ts';

export interface AuthorityOptions {
  readonly issuer: Issuer;
  /** null: it publishes no limits. */
  readonly ledger: BudgetLedger | null;
  /** Asked first after the issuer refused a name, to spare its budget of failures (Let's Encrypt's staging), or null. */
  readonly rehearsal: Issuer | null;
  readonly clock: Clock;
}

/** So many failures in a row, of whatever names, that had nothing to do with a name: the issuer is down. */
const DOWN_AFTER = 3;
/** It is put behind others for so long, counted from its last failure. */
const DOWN_MS = 10 * 60_000;

export class Authority {
  readonly issuer: Issuer;
  readonly ledger: BudgetLedger | null;
  readonly rehearsal: Issuer | null;
  readonly #clock: Clock;
  #unreached = 0;
  #unreachedAt = 0;
  #noInfoAt = 0;

  constructor({ issuer, ledger, rehearsal, clock }: AuthorityOptions) {
    this.issuer = issuer;
    this.ledger = ledger;
    this.rehearsal = rehearsal;
    this.#clock = clock;
  }

  get id(): string {
    return this.issuer.id;
  }

  /** False while it fails whoever asks; others are then asked first. */
  get healthy(): boolean {
    const age = this.#clock.now() - this.#unreachedAt;
    return this.#unreached < DOWN_AFTER || age < 0 || age > DOWN_MS;
  }

  /** It answered, whatever it said. */
  reached(): void {
    this.#unreached = 0;
  }

  unreached(): void {
    this.#unreached++;
    this.#unreachedAt = this.#clock.now();
  }

  /**
   * Whether it is worth asking for the renewal window of a certificate that was obtained at `since`: an issuer that had
   * none to tell is asked once more for each certificate that it hands out after that.
   */
  tells(since: number): boolean {
    return since > this.#noInfoAt;
  }

  /** As `Issuer.renewalInfo`. */
  async renewalInfo(certificate: Certificate, signal: AbortSignal): Promise<RenewalInfo | null> {
    const info = await this.issuer.renewalInfo(certificate, signal);
    this.#noInfoAt = info === null ? this.#clock.now() : 0;
    return info;
  }

  async close(): Promise<void> {
    await Promise.all([this.issuer.close(), this.rehearsal?.close()]);
  }
}
