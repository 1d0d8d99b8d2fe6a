// Whether what was seen is what a case expects: Perantara must have no deviation at all.
import { AssertionError } from 'node:assert';
import { lineOf } from '../observation.ts';
import type { H2Case } from './h2-case.ts';
import type { H2Observation } from './h2-observation.ts';

/** One line for each deviation. */
export function h2Deviations({ expect }: H2Case, seen: H2Observation): readonly string[] {
  const found: string[] = [];
  const compare = (what: string, actual: string, expected: string): void => {
    if (actual !== expected) found.push(`${what}: ${actual || 'nothing'}, expected ${expected || 'nothing'}`);
  };
  for (const [id, outcome] of Object.entries(expect.streams))
    compare(`stream ${id} got`, seen.streams[Number(id)] ?? '', outcome);
  const isGone = expect.ends !== 'kept' && expect.ends !== 'closed';
  compare('the connection was', seen.end, isGone ? 'closed' : expect.ends);
  compare('GOAWAY said', seen.goaway ?? '', isGone ? expect.ends : '');
  const { origin } = expect;
  if (origin !== 'any') compare('origins got', seen.requests.map(lineOf).join(', '), origin.join(', '));
  if (origin.length === 0 && expect.begun !== true) compare('origins got besides', JSON.stringify(seen.leftover), '""');
  if (expect.upstream != null) compare('the upstream connection was', seen.upstream ?? '', expect.upstream);
  compare('in its own frames', seen.complaints.join('; '), '');
  if (!seen.alive) found.push(`a normal request afterwards got ${JSON.stringify(seen.aliveGot.slice(0, 200))}`);
  if (seen.died) found.push('the process ended');
  try {
    expect.check?.(seen);
  } catch (error) {
    found.push(error instanceof AssertionError ? error.message : String(error));
  }
  return found;
}
