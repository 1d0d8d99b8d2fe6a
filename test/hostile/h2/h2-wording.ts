// What one proxy did with one input over HTTP/2, in a few words for a table.
import { targetOf } from '../observation.ts';
import { type Cell, code, unsafeOr } from '../wording.ts';
import type { H2Case } from './h2-case.ts';
import type { H2Observation } from './h2-observation.ts';

/** A longer target says nothing to a reader. */
const SHOWN_TARGET = 60;

export function h2CellOf(hostile: H2Case, seen: H2Observation, dangers: readonly string[]): Cell {
  return unsafeOr(outcomeOf(hostile, seen), dangers);
}

/** Of a flood: how its connection ended, and how many requests that made at the origin. */
export function floodCellOf(seen: H2Observation, dangers: readonly string[]): Cell {
  const end = ending(seen) ?? (seen.wasSent ? 'all taken' : 'still taken');
  const { length } = seen.requests;
  return unsafeOr(length < 2 ? end : `${end}; ${length.toLocaleString('en')} requests forwarded`, dangers);
}

function outcomeOf(hostile: H2Case, seen: H2Observation): string {
  const said = Object.keys(seen.streams)
    .map((id) => streamWord(hostile, seen, Number(id)))
    .filter((word) => word !== '');
  const end = ending(seen);
  if (end !== null) said.push(end);
  if (said.length === 0) return seen.end === 'kept' ? 'goes on' : 'no answer';
  return seen.end === 'open' ? `${said.join(', ')}, left open` : said.join(', ');
}

/** An origin's usual answer says where it comes from; every other is known by its status. */
function streamWord({ name }: H2Case, seen: H2Observation, id: number): string {
  const outcome = seen.streams[id]!;
  const isForwarded = outcome === '200' && seen.message(id).values('x-route').length > 0;
  if (!isForwarded) return outcome.replace('unended', 'and no end').replace(/^(\d+) ([A-Z0-9x])/, '$1, then $2');
  const [asked] = seen.requests;
  const isAboutPath = name.startsWith(':path') && asked !== undefined && targetOf(asked).length < SHOWN_TARGET;
  return isAboutPath ? `${asked.route} ${code(targetOf(asked))}` : 'forwarded';
}

function ending({ goaway, end }: H2Observation): string | null {
  if (goaway !== null) return `GOAWAY ${goaway}`;
  return end === 'closed' ? 'closed' : null;
}
