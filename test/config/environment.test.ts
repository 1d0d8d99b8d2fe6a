import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { substitute } from '../../src/config/environment.ts';

const env = { A: 'one', EMPTY: '', AGAIN: '$' + '{A}' };
const ref = (body: string): string => `$${`{${body}}`}`;

describe('variables in text values', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['are replaced wherever they stand', `x${ref('A')}y${ref('A')}`, 'xoneyone'],
    ['are replaced once, never in what they bring in', ref('AGAIN'), ref('A')],
    ['may be empty', `[${ref('EMPTY')}]`, '[]'],
    ['take their default when unset', ref('B:-two'), 'two'],
    ['take their default when empty', ref('EMPTY:-two'), 'two'],
    ['ignore their default when set', ref('A:-two'), 'one'],
    ['may have an empty default', `[${ref('B:-')}]`, '[]'],
    ['may have a default with colons and slashes', ref('B:-http://x:1/'), 'http://x:1/'],
    ['are escaped by a second dollar', `$${ref('A')}`, ref('A')],
    ['are not meant by a dollar alone', '$A $ $5 a$', '$A $ $5 a$'],
  ];
  for (const [name, text, expected] of cases)
    it(name, () => assert.deepEqual(substitute(text, env), { ok: true, text: expected }));

  it('are missed when unset without a default', () => {
    assert.deepEqual(substitute(`${ref('A')}${ref('B')}`, env), { ok: false, name: 'B', written: ref('B') });
  });

  it('are refused when their name is none, or they are not closed', () => {
    assert.deepEqual(substitute(ref('a b'), env), { ok: false, name: null, written: ref('a b') });
    assert.deepEqual(substitute('${A', env), { ok: false, name: null, written: '${A' });
    assert.deepEqual(substitute(ref(''), env), { ok: false, name: null, written: ref('') });
  });

  it('are not found on the prototype of the environment', () => {
    assert.equal(substitute(ref('constructor'), env).ok, false);
    assert.equal(substitute(ref('__proto__'), env).ok, false);
  });
});
