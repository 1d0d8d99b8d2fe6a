// Every hostile input over HTTP/2 that is data against Perantara, with what the client got and what the origins saw. The
// inputs: cases/*.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Grounds } from '../grounds.ts';
import { startPerantaraHere } from '../subjects/perantara-here.ts';
import { PATIENCE_MS } from '../theme-tests.ts';
import { h2DangersOf } from './h2-dangers.ts';
import { h2Deviations } from './h2-judge.ts';
import { H2Range } from './h2-range.ts';
import { H2_THEMES } from './h2-themes.ts';

for (const { title, setting, cases } of H2_THEMES)
  describe(title, () => {
    let grounds: Grounds;
    before(async () => {
      grounds = await Grounds.open({ start: startPerantaraHere, setting, patienceMs: PATIENCE_MS, awaitsDrops: true });
    });
    after(() => grounds.close());
    for (const hostile of cases) {
      const item = hostile.item === null ? '' : `item ${hostile.item}: `;
      it(`${item}${hostile.name} (${hostile.source})`, async () => {
        const seen = await new H2Range(grounds).try(hostile);
        assert.deepEqual(h2Deviations(hostile, seen), []);
        assert.deepEqual(h2DangersOf(hostile, seen), []);
      });
    }
  });
