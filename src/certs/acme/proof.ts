// Proving the names of one order (RFC 8555 section 7.5): an answer is put where the CA looks, the CA is told, its
// judgement awaited, the answer taken away again.
import type { ChallengeType } from '../../config/config.ts';
import { normalizeHostname } from '../../core/hostname.ts';
import { printable } from '../../core/printable.ts';
import type { ChallengeSolver, PendingChallenge } from '../challenges/challenge-solver.ts';
import { invalidAnswer } from './answer.ts';
import { type ChosenChallenge, chooseChallenge, type NameToProve } from './challenge-choice.ts';
import type { AcmeClient } from './client.ts';
import type { Authorization, Challenge } from './messages.ts';
import { Pace } from './pace.ts';
import { AcmeProblem, readProblem } from './problem.ts';

export interface ProofServices {
  readonly client: AcmeClient;
  readonly solvers: readonly ChallengeSolver[];
  /** As ordered. */
  readonly names: readonly string[];
  readonly allowed: readonly ChallengeType[];
  /** Types that failed, by name as ordered. Never changed here. */
  readonly failed: ReadonlyMap<string, ReadonlySet<ChallengeType>>;
  readonly signal: AbortSignal;
  /** Told how far it is, for people. */
  readonly onStep: (step: string) => void;
  /** Told of a solver that failed where another type can still be tried. */
  readonly onUnpresented: (name: string, type: ChallengeType, error: unknown) => void;
}

/** The CA looked and did not find the proof. Final for the order (RFC 8555 section 7.1.6). */
export class ProofFailed extends Error {
  readonly problem: AcmeProblem;
  readonly key: string;
  readonly type: ChallengeType;
  /** Whether another type could be tried in a new order. */
  readonly alternative: boolean;

  constructor(problem: AcmeProblem, key: string, type: ChallengeType, alternative: boolean) {
    super(problem.message, { cause: problem });
    this.problem = problem;
    this.key = key;
    this.type = type;
    this.alternative = alternative;
  }
}

/** The name as it was ordered. */
function nameKey({ identifier, wildcard }: Pick<NameToProve, 'identifier' | 'wildcard'>): string {
  return wildcard ? `*.${identifier}` : identifier;
}

export class Proof {
  readonly #services: ProofServices;

  constructor(services: ProofServices) {
    this.#services = services;
  }

  /** Proves one name. Returns the type that did it; null when the CA still holds an earlier proof for valid. */
  async authorize(url: string): Promise<ChallengeType | null> {
    const { value: authorization } = await this.#services.client.authorization(url);
    const name = this.#nameOf(authorization);
    if (authorization.status === 'valid') return null;
    if (authorization.status !== 'pending') throw refusal(name.identifier, authorization);
    return this.#prove(url, name, authorization);
  }

  /** A type that cannot be put in place here is passed over: the CA has not looked yet, so nothing has failed there. */
  async #prove(url: string, name: NameToProve, authorization: Authorization): Promise<ChallengeType> {
    const { challenge, solver } = chooseChallenge(name, authorization.challenges);
    const { type } = solver;
    let cleanUp: () => Promise<void>;
    try {
      cleanUp = await solver.present(await this.#pending(name, challenge), this.#services.signal);
    } catch (error) {
      this.#services.signal.throwIfAborted();
      if (!hasAlternative(name, type, authorization)) throw error;
      this.#services.onUnpresented(nameKey(name), type, error);
      return this.#prove(url, without(name, type), authorization);
    }
    try {
      await this.#judge(url, name, { challenge, solver }, authorization);
      return type;
    } finally {
      await cleanUp();
    }
  }

  async #pending({ identifier, wildcard }: NameToProve, challenge: Challenge): Promise<PendingChallenge> {
    const { client } = this.#services;
    const { token = '', issuerDomainNames } = challenge;
    const keyAuthorization = token === '' ? '' : await client.keyAuthorization(token);
    return { identifier, wildcard, token, keyAuthorization, accountUrl: client.accountUrl, issuerDomainNames };
  }

  /** `offer`: the authorization while it was pending; a failed one may show the challenge that failed alone. */
  async #judge(
    url: string,
    name: NameToProve,
    { challenge, solver }: ChosenChallenge,
    offer: Authorization,
  ): Promise<void> {
    this.#services.onStep(`the CA is validating "${name.identifier}"`);
    if (challenge.status === 'pending') await this.#services.client.respond(challenge);
    const judged = await this.#judgement(url);
    if (judged.status === 'valid') return;
    const problem = refusal(name.identifier, judged);
    if (judged.status !== 'invalid') throw problem;
    throw new ProofFailed(problem, nameKey(name), solver.type, hasAlternative(name, solver.type, offer));
  }

  async #judgement(url: string): Promise<Authorization> {
    const { client, signal } = this.#services;
    const pace = new Pace(signal);
    let retryAfterMs: number | null = null;
    for (;;) {
      await pace.wait(retryAfterMs);
      const polled = await client.authorization(url);
      if (polled.value.status !== 'pending') return polled.value;
      retryAfterMs = polled.retryAfterMs;
    }
  }

  /** RFC 8555 section 7.1.4: the authorization of a wildcard names its base domain. */
  #nameOf({ identifier, wildcard = false }: Authorization): NameToProve {
    const { names, allowed, solvers, failed } = this.#services;
    const host = normalizeHostname(identifier.value);
    if (host === null || (!names.includes(host) && !names.includes(`*.${host}`)))
      throw invalidAnswer(`it wants proof for "${printable(identifier.value.slice(0, 253))}", which was not ordered`);
    const isWildcard = wildcard || !names.includes(host);
    const failures = failed.get(nameKey({ identifier: host, wildcard: isWildcard })) ?? new Set();
    return { identifier: host, wildcard: isWildcard, allowed, solvers, failed: failures };
  }
}

function hasAlternative(name: NameToProve, type: ChallengeType, { challenges }: Authorization): boolean {
  try {
    chooseChallenge(without(name, type), challenges);
    return true;
  } catch {
    return false;
  }
}

function without(name: NameToProve, type: ChallengeType): NameToProve {
  return { ...name, failed: new Set([...name.failed, type]) };
}

/** The CA's words about a name it did not accept stand in the challenge that failed. */
function refusal(host: string, { status, challenges }: Authorization): AcmeProblem {
  const failed = challenges.find(({ error }) => error !== undefined && error !== null);
  const problem = failed?.error ?? { detail: `the authorization is ${status}` };
  return new AcmeProblem(`validate "${host}"`, readProblem(problem, 0, null));
}
