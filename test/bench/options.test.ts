import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CASE_NAMES } from './cases.ts';
import { parseOptions } from './options.ts';

describe('npm run bench -- --only', () => {
  it('takes cases, in the order of the page', () => {
    assert.deepEqual(casesOf('h2-small,small'), ['small', 'h2-small']);
  });

  it('takes a group of cases beside others', () => {
    const cases = casesOf('h2, idle');
    assert.deepEqual(
      cases,
      CASE_NAMES.filter((name) => name === 'idle' || name.startsWith('h2-')),
    );
    assert.ok(cases.includes('h2-grpc'));
  });

  it('has a group for each protocol, and no case that is in neither', () => {
    assert.deepEqual(casesOf('h1,h2'), CASE_NAMES);
  });

  it('refuses a name that there is not, and says which there are', () => {
    assert.throws(() => casesOf('h3'), /no "h3"; there are h1, h2, own, small, /);
  });

  it('does not overwrite the page with a part of it', () => {
    assert.deepEqual(
      [['--only', 'h2'], ['--short'], []].map((argv) => {
        const options = parseOptions(argv);
        return options !== 'help' && options.write;
      }),
      [false, false, true],
    );
  });
});

function casesOf(names: string): readonly string[] {
  const options = parseOptions(['--only', names]);
  assert.ok(options !== 'help');
  return options.cases;
}
