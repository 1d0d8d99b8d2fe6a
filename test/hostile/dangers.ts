// What makes an outcome unsafe, whichever proxy it is. Being laxer than Perantara is not: what is passed on as it came, and
// means the same to every reader, is left to the origin.
import { listElements } from '../../src/http/grammar.ts';
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
  const smuggling = smugglingIn(hostile, seen);
  if (smuggling !== null) found.push(smuggling);
  const doubt = seen.requests.map(doubtIn).find((reason) => reason !== null);
  if (doubt !== undefined) found.push(`${doubt} passed on`);
  if (hasStrayAnswer(seen)) found.push('the next request got the stray answer');
  const own = hostile.danger?.(seen) ?? null;
  if (own !== null) found.push(own);
  return found;
}

function smugglingIn(hostile: HostileCase, { requests, answers }: Observation): string | null {
  // A proxy that reads a request says X-Forwarded-For, or loses it in a way of its own (item 17); a tunnel is not read.
  const isTunnel = requests.some(({ startLine }) => startLine.startsWith('CONNECT '));
  const isUnseen = (request: ReceivedMessage): boolean => !/^x-forwarded-for:/im.test(request.head);
  const executed = requests.find(({ startLine }) => startLine.includes(' /smuggled '));
  if (executed === undefined) return null;
  if (!isTunnel && isUnseen(executed)) return 'a request executed that the proxy did not see';
  if (hostile.smuggles === true) return 'hidden request executed';
  const first = answers.find(({ status }) => status >= 200);
  const isOver = first !== undefined && listElements(first.fields('connection').join()).includes('close');
  return isOver ? 'request executed behind the end of its connection' : null;
}

/** What the origin added to the answer of one request came as the answer of the next. */
function hasStrayAnswer({ answers, requests }: Observation): boolean {
  const finals = answers.filter(({ status }) => status >= 200);
  const strays = finals.slice(1).filter(({ head, body }) => head.includes(POISON) || body.includes(POISON));
  return strays.length > 0 && finals.length > requests.length;
}

/** Framing that two readers may take differently (RFC 9112 sections 6.1, 6.3, 11.2), or null. */
export function doubtIn(request: ReceivedMessage): string | null {
  const lengths = request.fields('content-length');
  const codings = request.fields('transfer-encoding');
  if (lengths.length > 0 && codings.length > 0) return 'both Content-Length and Transfer-Encoding';
  if (new Set(lengths).size > 1) return 'two Content-Lengths';
  if (lengths.some((length) => !/^\d+$/.test(length))) return 'a Content-Length that is no number';
  const applied = listElements(codings.join());
  if (codings.length > 0 && (applied.at(-1) !== 'chunked' || applied.indexOf('chunked') !== applied.length - 1))
    return 'a Transfer-Encoding that does not end in one chunked';
  if (/\r(?!\n)/.test(request.head)) return 'a bare CR';
  if (/^(content-length|transfer-encoding)[ \t]+:/im.test(request.head)) return 'a space before the colon of a length';
  return null;
}
