import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pooledMap } from '../../src/core/pooled-map.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('pooled work', () => {
  it('goes on with no more things at once than allowed, and keeps their order', async () => {
    let running = 0;
    let most = 0;
    const items = Array.from({ length: 50 }, (_, i) => i);
    const results = await pooledMap(items, 7, async (item) => {
      most = Math.max(most, ++running);
      for (let turns = item % 3; turns >= 0; turns--) await turn();
      running--;
      return item * 2;
    });
    assert.equal(most, 7);
    assert.deepEqual(
      results,
      items.map((item) => item * 2),
    );
  });

  it('ends with the first error and begins nothing after it', async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      await turn();
      if (item === 1) throw new Error('no');
    };
    await assert.rejects(pooledMap([0, 1, 2, 3, 4, 5], 2, work), /no/);
    await turn();
    await turn();
    assert.deepEqual(begun, [0, 1, 2]);
  });

  it('of nothing is nothing', async () => {
    assert.deepEqual(await pooledMap([], 5, () => Promise.reject(new Error('asked'))), []);
  });
});
