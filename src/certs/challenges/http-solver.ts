// HTTP-01 (RFC 8555 section 8.3): answers stand in the token table until the CA has seen them.
import type { ChallengeSolver, PendingChallenge } from './challenge-solver.ts';

/** Where answers are put: certs/challenges. */
export interface TokenTable {
  present(host: string, token: string, keyAuthorization: string): Promise<void>;
  cleanUp(host: string, token: string): Promise<void>;
}

export class HttpSolver implements ChallengeSolver {
  readonly type = 'http-01';
  readonly #tokens: TokenTable;
  readonly #unreachable: string | null;

  /** `unreachable`: why validators find no plain HTTP here, to complete `cannot prove "x": …`; null when they do. */
  constructor(tokens: TokenTable, unreachable: string | null = null) {
    this.#tokens = tokens;
    this.#unreachable = unreachable;
  }

  unfit(_identifier: string, wildcard: boolean): string | null {
    return wildcard ? 'a wildcard can be proved in the DNS alone' : this.#unreachable;
  }

  async present(challenge: PendingChallenge, signal: AbortSignal): Promise<() => Promise<void>> {
    const { identifier, token, keyAuthorization } = challenge;
    signal.throwIfAborted();
    await this.#tokens.present(identifier, token, keyAuthorization);
    return () => this.#tokens.cleanUp(identifier, token);
  }
}
