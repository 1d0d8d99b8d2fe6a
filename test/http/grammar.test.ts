import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listElements } from '../../src/http/grammar.ts';

test('the elements of a list have spaces and tabs around them, and nothing else counts as blank', () => {
  assert.deepEqual(listElements(' close,\tTE ,,X\t'), ['close', 'te', 'x']);
  assert.deepEqual(listElements('\xa0close, te\xa0'), ['\xa0close', 'te\xa0']);
  assert.deepEqual(listElements(', \t,'), []);
});
