// What makes an outcome unsafe, whichever proxy it is. Being laxer than Perantara is not: what is passed on as it came, and
// means the same to every reader, is left to the origin.
import type { ReceivedMessage } from '../support/raw-message.ts';
import type { HostileCase } from './hostile-case.ts';
import type { Observation } from './observation.ts';

/** In content and fields that an origin sends where no answer may be. */
export const POISON = 'poison';

/** One phrase for each reason; empty when the outcome is safe. */
export function dangersOf(hostile: HostileCase, seen: Observation): readonly string[] {
  const found: string[] = [];
  if (seen.died) found.push('the process ended');
  else if (seen.aliveGot.includes(POISON)) found.push('the next client got the stray answer');
  else if (!seen.alive) found.push('the next client got no answer of its own');
  if (seen.requests.some(({ startLine }) => startLine.includes('/smuggled'))) found.push('smuggled request executed');
  const doubtful = seen.requests.map(doubtIn).find((doubt) => doubt !== null);
  if (doubtful !== undefined) found.push(`${doubtful} passed on`);
  const poisoned = seen.answers.filter(({ status }) => status >= 200).slice(1);
  if (poisoned.some((answer) => answer.body.includes(POISON) || answer.head.includes(POISON)))
    found.push('the next request got the stray answer');
  const own = hostile.danger?.(seen) ?? null;
  if (own !== null) found.push(own);
  return found;
}

/** Framing that two readers may take differently (RFC 9112 section 11.2), or null. */
export function doubtIn(request: ReceivedMessage): string | null {
  const lengths = request.fields('content-length');
  const codings = request.fields('transfer-encoding');
  if (lengths.length > 0 && codings.length > 0) return 'both Content-Length and Transfer-Encoding';
  if (lengths.length > 1) return 'two Content-Lengths';
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0]!)) return 'a Content-Length that is no number';
  if (codings.length > 1) return 'two Transfer-Encodings';
  if (codings.length === 1 && codings[0]!.toLowerCase() !== 'chunked') return 'a doubtful Transfer-Encoding';
  if (/(^|[^\r])\n|\r(?!\n)/.test(request.head)) return 'a bare CR or LF';
  if (/^(content-length|transfer-encoding)[ \t]+:/im.test(request.head)) return 'a space before the colon of a length';
  if (/\r\n[ \t]/.test(request.head)) return 'a folded line';
  return null;
}
