// Which challenge proves a name: the first allowed type that can be met here, that the CA offers and that has not failed
// yet. Pure.
import type { ChallengeType } from '../../config/config.ts';
import { PerantaraError } from '../../core/errors.ts';
import type { ChallengeSolver } from '../challenges/challenge-solver.ts';
import type { Challenge } from './messages.ts';

export interface NameToProve {
  /** Without `*.`. */
  readonly identifier: string;
  readonly wildcard: boolean;
  /** Allowed types, the preferred first. */
  readonly allowed: readonly ChallengeType[];
  readonly solvers: readonly ChallengeSolver[];
  /** Types that failed for this name already. */
  readonly failed: ReadonlySet<ChallengeType>;
}

export interface ChosenChallenge {
  readonly challenge: Challenge;
  readonly solver: ChallengeSolver;
}

const TOKEN = /^[A-Za-z0-9_-]{16,512}$/;

/** `offered`: what the CA offers; null before it was asked. Throws `challenge_unfit`, naming every type and why not. */
export function chooseChallenge(name: NameToProve, offered: readonly Challenge[]): ChosenChallenge {
  const reasons: string[] = [];
  let local = false;
  for (const type of name.allowed) {
    const solver = solverOf(name, type);
    const challenge = offered.find((each) => each.type === type);
    if (typeof solver === 'string') reasons.push(`${type}: ${solver}`);
    else if (challenge === undefined) reasons.push(`${type}: the CA does not offer it`);
    else if (!hasToken(challenge)) reasons.push(`${type}: the CA's token is malformed`);
    else return { challenge, solver };
    local ||= typeof solver === 'string';
  }
  const offers = offered.map(({ type }) => type).join(', ') || 'nothing';
  throw unfit(name, `${reasons.join('; ')}; the CA offers ${offers}`, local ? 'operator' : 'issuer');
}

/** Before the CA is asked for anything: throws `challenge_unfit` when no allowed type can be met here. */
export function assertProvable(name: NameToProve): void {
  const reasons = name.allowed.map((type) => [type, solverOf(name, type)] as const);
  if (reasons.some(([, solver]) => typeof solver !== 'string')) return;
  throw unfit(name, reasons.map(([type, reason]) => `${type}: ${reason}`).join('; '), 'operator');
}

/** The solver, or why there is none. */
function solverOf(
  { identifier, wildcard, solvers, failed }: NameToProve,
  type: ChallengeType,
): ChallengeSolver | string {
  if (failed.has(type)) return 'it has just failed';
  const solver = solvers.find((each) => each.type === type);
  return solver === undefined ? 'not set up here' : (solver.unfit(identifier, wildcard) ?? solver);
}

/** A token becomes a path and a file name elsewhere (CVE-2026-40611). DNS-PERSIST-01 has none. */
function hasToken({ type, token }: Challenge): boolean {
  return token === undefined ? type === 'dns-persist-01' : TOKEN.test(token);
}

function unfit({ identifier, wildcard }: NameToProve, state: string, source: 'operator' | 'issuer'): PerantaraError {
  return new PerantaraError(`cannot prove "${wildcard ? '*.' : ''}${identifier}": ${state}`, {
    code: 'challenge_unfit',
    source,
  });
}
