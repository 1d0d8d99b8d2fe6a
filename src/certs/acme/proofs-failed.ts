// Why the names of an order were not proved: every type that was tried, each in the CA's words.
import { AcmeProblem } from './problem.ts';
import type { ProofFailed } from './proof.ts';

export class ProofsFailed extends AcmeProblem {
  /** The name of each validation that the CA counts as failed, as often as it failed. */
  readonly failed: readonly string[];

  /** `last`: those after which nothing is left to try, one for each such name. `all`: every failure of the issuance. */
  constructor(last: readonly ProofFailed[], all: readonly ProofFailed[]) {
    const names = last.map(({ key }) => key);
    const told = all.filter(({ key }) => names.includes(key));
    const { problem } = last[0]!;
    const { type, status, subproblems, retryAfterMs } = problem;
    const details =
      told.length === 1
        ? problem
        : {
            type,
            status,
            subproblems,
            retryAfterMs,
            detail: told.map((each) => words(each, names.length > 1)).join('; '),
          };
    super(`validate ${names.map((name) => `"${name}"`).join(', ')}`, details);
    this.failed = all.map(({ key }) => key);
  }
}

function words({ key, type, problem }: ProofFailed, isNamed: boolean): string {
  return `${isNamed ? `${key} ` : ''}by ${type}: ${problem.detail || 'no reason given'}`;
}
