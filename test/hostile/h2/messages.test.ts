// Every hostile input over HTTP/2 that is data against Perantara, with what the client got and what the origins saw. The
// inputs: cases/*.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Grounds } from '../grounds.ts';
import { startPerantaraHere } from '../subjects/perantara-here.ts';
import { PATIENCE_MS } from '../theme-tests.ts';
import type { H2Case } from './h2-case.ts';
import { h2DangersOf } from './h2-dangers.ts';
import { h2Deviations } from './h2-judge.ts';
import { H2Range } from './h2-range.ts';
import { H2_THEMES } from './h2-themes.ts';

/** Cases that wait for deadlines do so beside each other, each with a Perantara and a patience of its own. */
const WAITING = { atOnce: 24, patienceMs: 20_000 };

for (const { title, setting, cases } of H2_THEMES) {
  const isWaiting = setting === 'impatient behind TLS';
  const open = (patienceMs: number) =>
    Grounds.open({ start: startPerantaraHere, setting, patienceMs, awaitsDrops: true });
  describe(title, { concurrency: isWaiting ? WAITING.atOnce : 1 }, () => {
    let shared: Grounds | null = null;
    before(async () => {
      if (!isWaiting) shared = await open(PATIENCE_MS);
    });
    after(() => shared?.close());
    for (const hostile of cases) {
      it(nameOf(hostile), async (t) => {
        const grounds = shared ?? (await open(WAITING.patienceMs));
        if (shared === null) t.after(() => grounds.close());
        const seen = await new H2Range(grounds).try(hostile);
        assert.deepEqual(h2Deviations(hostile, seen), []);
        assert.deepEqual(h2DangersOf(hostile, seen), []);
      });
    }
  });
}

function nameOf({ item, name, source }: H2Case): string {
  return `${item === null ? '' : `item ${item}: `}${name} (${source})`;
}
