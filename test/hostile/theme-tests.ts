// Makes a test of each hostile input: Perantara must meet what the case expects and show none of the dangers.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { dangersOf } from './dangers.ts';
import { Grounds } from './grounds.ts';
import type { Theme } from './hostile-case.ts';
import { deviations } from './judge.ts';
import { Range } from './range.ts';
import { startPerantaraHere } from './subjects/perantara-here.ts';

/** Of one wait; reached only where something is wrong. */
export const PATIENCE_MS = 5_000;

export function testTheme({ title, setting, cases }: Theme): void {
  describe(title, () => {
    let grounds: Grounds;
    before(async () => {
      grounds = await Grounds.open({ start: startPerantaraHere, setting, patienceMs: PATIENCE_MS, awaitsDrops: true });
    });
    after(() => grounds.close());
    for (const hostile of cases) {
      const item = hostile.item === null ? '' : `item ${hostile.item}: `;
      it(`${item}${hostile.name} (${hostile.source})`, async () => {
        const seen = await new Range(grounds).try(hostile);
        assert.deepEqual(deviations(hostile, seen), []);
        assert.deepEqual(dangersOf(hostile, seen), []);
      });
    }
  });
}
