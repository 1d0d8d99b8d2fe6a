// Whether what was seen is what a case expects: Perantara must have no deviation at all.
import { AssertionError } from 'node:assert';
import type { HostileCase } from './hostile-case.ts';
import { lineOf, type Observation } from './observation.ts';

/** One line for each deviation. */
export function deviations(hostile: HostileCase, seen: Observation): readonly string[] {
  const { expect } = hostile;
  const found: string[] = [];
  const compare = (what: string, actual: string, expected: string): void => {
    if (actual !== expected) found.push(`${what}: ${actual || 'nothing'}, expected ${expected || 'nothing'}`);
  };
  compare('the client got', seen.answers.map(({ status }) => status).join(', '), expect.client.join(', '));
  compare('the connection was', seen.end, expect.ends === 'cut' ? 'closed' : expect.ends);
  if (expect.ends !== 'cut') compare('the client got besides', JSON.stringify(seen.stray), '""');
  compare('origins got', seen.requests.map(lineOf).join(', '), expect.origin.join(', '));
  if (expect.origin.length === 0 && expect.begun !== true)
    compare('origins got besides', JSON.stringify(seen.leftover), '""');
  if (expect.upstream !== undefined) compare('the upstream connection was', seen.upstream ?? '', expect.upstream);
  if (!seen.alive) found.push(`a normal request afterwards got ${JSON.stringify(seen.aliveGot.slice(0, 200))}`);
  if (seen.died) found.push('the process ended');
  try {
    expect.check?.(seen);
  } catch (error) {
    found.push(error instanceof AssertionError ? error.message : String(error));
  }
  return found;
}
