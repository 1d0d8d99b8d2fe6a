import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '../../src/upstream/target.ts';
import { Upstream } from '../../src/upstream/upstream.ts';

const targets = ['a', 'b', 'c'].map((name) => ({ name }) as Target);
const names = (upstream: Upstream, tried: readonly Target[], times: number): string =>
  Array.from({ length: times }, () => upstream.pick(tried)?.name ?? '-').join('');

test('targets are used in turn', () => {
  assert.equal(names(new Upstream(targets), [], 7), 'abcabca');
  assert.equal(names(new Upstream(targets.slice(0, 1)), [], 3), 'aaa');
});

test('targets that were tried are skipped, and when all were there is none', () => {
  const upstream = new Upstream(targets);
  assert.equal(names(upstream, [targets[0]!], 3), 'bcb');
  assert.equal(names(upstream, [targets[0]!, targets[2]!], 2), 'bb');
  assert.equal(names(upstream, targets, 1), '-');
  assert.equal(names(new Upstream([]), [], 1), '-');
});
