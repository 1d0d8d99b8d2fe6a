// What a failed attempt was about, for deciding what comes next and for people who count failures. Pure.
import { codeOf, messageOf, PerantaraError } from '../../core/errors.ts';
import { AcmeProblem } from '../acme/problem.ts';
import { ProofsFailed } from '../acme/proofs-failed.ts';

export type FailureClass =
  /** The CA looked and said no: something about the name must change. */
  | 'refused'
  /** A limit of the CA: only time helps. */
  | 'limited'
  /** The CA was not reached, or was not able. */
  | 'unreachable'
  /** What the CA handed out cannot be used. */
  | 'unfit'
  /** The storage here. */
  | 'storage'
  | 'other';

export interface AttemptFailure {
  readonly class: FailureClass;
  readonly message: string;
  /** How long the CA asks to wait, or null. */
  readonly retryAfterMs: number | null;
  /** Whether the CA took the request and judged it, so that trying again may count against its limits. */
  readonly judged: boolean;
  /** Whether it is ours, so that no other issuer would do better now. */
  readonly own: boolean;
}

/** Characters kept: two thousand say what is wrong, a group of a hundred names would say it a hundred times. */
const MAX_MESSAGE = 2_000;

export function describeFailure(error: unknown): AttemptFailure {
  const kind = classOf(error);
  return {
    class: kind,
    message: messageOf(error).slice(0, MAX_MESSAGE),
    retryAfterMs: error instanceof AcmeProblem ? error.retryAfterMs : null,
    judged: kind === 'refused' || kind === 'limited' || kind === 'unfit',
    own: kind === 'storage',
  };
}

/** The names that failed, as the CA says, as often as it counts a failure; all of them when it does not say. */
export function failedNames(error: unknown, names: readonly string[]): readonly string[] {
  if (error instanceof ProofsFailed) return error.failed;
  if (!(error instanceof AcmeProblem)) return names;
  const named = error.subproblems.map(({ identifier }) => identifier);
  const failed = names.filter((name) => named.includes(name) || named.includes(name.replace(/^\*\./, '')));
  return failed.length > 0 ? failed : names;
}

function classOf(error: unknown): FailureClass {
  if (error instanceof AcmeProblem) {
    if (error.type === 'rateLimited' || error.status === 429) return 'limited';
    return error.status >= 500 ? 'unreachable' : 'refused';
  }
  const code = codeOf(error);
  if (code === 'certificate_unfit' || code === 'key_compromised') return 'unfit';
  if (code.startsWith('storage_') || code === 'lock_lost') return 'storage';
  if (error instanceof PerantaraError && error.source === 'issuer') return 'unreachable';
  return 'other';
}
