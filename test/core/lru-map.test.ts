import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LruMap } from '../../src/core/lru-map.ts';

function makeMap(capacity: number): { map: LruMap<string, number>; dropped: number[] } {
  const dropped: number[] = [];
  return { map: new LruMap<string, number>({ capacity, onDrop: (value) => void dropped.push(value) }), dropped };
}

describe('a map of the recently used', () => {
  it('lets go of what was used longest ago, and reading is a use', () => {
    const { map, dropped } = makeMap(2);
    map.set('a', 1);
    map.set('b', 2);
    assert.equal(map.get('a'), 1);
    map.set('c', 3);
    assert.deepEqual(dropped, [2]);
    assert.equal(map.get('b'), undefined);
    assert.equal(map.get('a'), 1);
    assert.equal(map.size, 2);
  });

  it('tells of every value that leaves it once', () => {
    const { map, dropped } = makeMap(2);
    map.set('a', 1);
    map.set('a', 10);
    assert.deepEqual(dropped, [1]);
    assert.equal(map.delete('a'), true);
    assert.equal(map.delete('a'), false);
    assert.deepEqual(dropped, [1, 10]);
    assert.equal(map.size, 0);
  });

  it('holds one entry when it may hold one', () => {
    const { map, dropped } = makeMap(1);
    for (let i = 0; i < 5; i++) map.set(`${i}`, i);
    assert.deepEqual(dropped, [0, 1, 2, 3]);
    assert.equal(map.get('4'), 4);
  });
});
