// What a GenerationMap remembers, and how much of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GenerationMap } from '../../src/core/generation-map.ts';

test('the last entries are there, whatever came before, and memory is bounded', () => {
  const map = new GenerationMap<number, string>(100);
  for (let key = 0; key < 10_000; key++) {
    map.set(key, `${key}`);
    assert.equal(map.get(Math.max(0, key - 40)), `${Math.max(0, key - 40)}`);
    assert.ok(map.size <= 200, `${map.size}`);
  }
  assert.equal(map.get(0), undefined);
});

test('what is used stays', () => {
  const map = new GenerationMap<number, string>(100);
  map.set(-1, 'used');
  for (let key = 0; key < 10_000; key++) {
    map.set(key, '');
    if (key % 50 === 0) assert.equal(map.get(-1), 'used');
  }
});

test('what is deleted or replaced does not come back', () => {
  const map = new GenerationMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  assert.equal(map.get('a'), 3);
  map.delete('a');
  assert.equal(map.get('a'), undefined);
  map.set('c', 4);
  assert.equal(map.get('a'), undefined);
});
