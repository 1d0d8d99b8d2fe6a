// What makes an outcome over HTTP/2 unsafe, whichever proxy it is: most of it is what the translation to HTTP/1.1 made of it.
import { doubtIn, POISON } from '../dangers.ts';
import type { H2Case } from './h2-case.ts';
import type { H2Observation } from './h2-observation.ts';

/** A field that a case hides in another part of its request: an origin that has it was deceived. */
export const INJECTED = 'Injected';

/** One phrase for each reason; empty when the outcome is safe. */
export function h2DangersOf(hostile: H2Case, seen: H2Observation): readonly string[] {
  const found: string[] = [];
  if (seen.died) found.push('the process ended');
  else if (seen.aliveGot.includes(POISON)) found.push('the next client got the stray answer');
  else if (!seen.alive) found.push('the next client got no answer of its own');
  if (seen.nextGot.includes(POISON)) found.push('the next request got the stray answer');
  if (seen.requests.some(({ startLine }) => startLine.includes(' /smuggled '))) found.push('hidden request executed');
  if (seen.requests.some(({ fields }) => fields(INJECTED).length > 0)) found.push('hidden field passed on');
  const doubt = seen.requests.map(doubtIn).find((reason) => reason !== null);
  if (doubt !== undefined) found.push(`${doubt} passed on`);
  const own = hostile.danger?.(seen) ?? null;
  if (own !== null) found.push(own);
  return found;
}
