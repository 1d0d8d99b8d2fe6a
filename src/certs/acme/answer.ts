// The error of a CA that answers what it must not.
import { PerantaraError } from '../../core/errors.ts';

/** `state`: completes `cannot use the CA's answer: …`. */
export function invalidAnswer(state: string): PerantaraError {
  return new PerantaraError(`cannot use the CA's answer: ${state}`, {
    code: 'issuer_answer_invalid',
    source: 'issuer',
  });
}
