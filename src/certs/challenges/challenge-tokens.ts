// The HTTP-01 answers that are wanted right now (RFC 8555 section 8.3): host and token → key authorization.
// Never answers HTTP itself; a handler asks `answer`.
import { normalizeHostname } from '../../core/hostname.ts';
import { type Announce, type Announcement, announceToNobody } from '../announcement.ts';
import type { SharedTokens } from './shared-tokens.ts';

/** Under it validators ask (RFC 8555 section 8.3). */
export const CHALLENGE_PATH = '/.well-known/acme-challenge/';

/** The answers of other processes. */
export type OtherTokens = Pick<SharedTokens, 'put' | 'remove' | 'find'>;

export class ChallengeTokens {
  readonly #answers = new Map<string, Map<string, string>>();
  readonly #shared: OtherTokens | null;
  readonly #announce: Announce;

  /** `shared`: where other processes leave theirs and look for ours. Default nowhere. `announce`: default to nobody. */
  constructor(shared: OtherTokens | null = null, announce: Announce = announceToNobody) {
    this.#shared = shared;
    this.#announce = announce;
  }

  /** All that are wanted. */
  *announcements(): Generator<Announcement> {
    for (const [host, tokens] of this.#answers)
      for (const [token, answer] of tokens) yield { kind: 'token', host, token, answer };
  }

  /** Resolves when every process that answers requests knows the token; the CA may be told to look after that. */
  async present(host: string, token: string, keyAuthorization: string): Promise<void> {
    const key = normalize(host);
    const tokens = this.#answers.get(key) ?? new Map<string, string>();
    this.#answers.set(key, tokens.set(token, keyAuthorization));
    await this.#announce({ kind: 'token', host: key, token, answer: keyAuthorization });
    await this.#shared?.put(key, token, keyAuthorization);
  }

  /** Forgets the token; unknown ones are no error. */
  async cleanUp(host: string, token: string): Promise<void> {
    const key = normalize(host);
    const tokens = this.#answers.get(key);
    tokens?.delete(token);
    if (tokens?.size === 0) this.#answers.delete(key);
    await this.#announce({ kind: 'token', host: key, token, answer: null });
    await this.#shared?.remove(key, token);
  }

  /** The body to answer with, or null (404). `host` comes from the Host field, without a port; letter case is ignored. */
  answer(host: string, token: string): string | null {
    if (this.#answers.size === 0) return null;
    return this.#answers.get(normalize(host))?.get(token) ?? null;
  }

  /** The same among the answers of other processes. Never rejects. */
  async find(host: string, token: string): Promise<string | null> {
    return this.#shared?.find(normalize(host), token) ?? null;
  }
}

function normalize(host: string): string {
  return normalizeHostname(host) ?? host.toLowerCase();
}
