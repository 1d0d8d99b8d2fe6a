// The contract of whoever puts a proof of control where a CA looks for it (RFC 8555 section 8).
import type { ChallengeType } from '../../config/config.ts';

export interface PendingChallenge {
  /** The name or IP address, normalised, without `*.`. */
  readonly identifier: string;
  /** Whether the order has the wildcard of it. */
  readonly wildcard: boolean;
  readonly token: string;
  /** RFC 8555 section 8.1: `token.thumbprint`. */
  readonly keyAuthorization: string;
  /** The account's URL at the CA, and the names by which the CA is known in the DNS (DNS-PERSIST-01), where it tells them. */
  readonly accountUrl: string;
  readonly issuerDomainNames: readonly string[];
}

export interface ChallengeSolver {
  readonly type: ChallengeType;
  /** Whether it can prove such a name here at all; null when it can, else why not: completes `cannot prove "x": …`. */
  unfit(identifier: string, wildcard: boolean): string | null;
  /**
   * Resolves when the CA may be told to look. Rejects with a PerantaraError that says what to do, or with the signal's
   * reason; nothing is left behind then. What it returns takes the proof away again; never rejects.
   */
  present(challenge: PendingChallenge, signal: AbortSignal): Promise<() => Promise<void>>;
}
