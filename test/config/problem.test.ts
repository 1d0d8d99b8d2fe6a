import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblem, makeProblem, positionOf, showValue, sortProblems } from '../../src/config/problem.ts';

const place = { file: 'a.yaml', line: 3, column: 9 };

describe('a problem', () => {
  it('is one line with all that is known', () => {
    const problem = makeProblem(place, 'cannot use x: it is wrong', { found: '"y"', allowed: 'z', suggestion: 'z' });
    assert.equal(
      formatProblem(problem),
      'a.yaml:3:9: cannot use x: it is wrong; found "y"; allowed: z; did you mean "z"?',
    );
    assert.equal(formatProblem(makeProblem(place, 'cannot use x')), 'a.yaml:3:9: cannot use x');
  });

  it('shows no terminal escapes and no second line', () => {
    const text = formatProblem(makeProblem({ ...place, file: 'a\x1b[2J.yaml' }, 'x\ny \u202e z \x9b'));
    assert.equal(text, 'a\\u001b[2J.yaml:3:9: x\\u000ay \\u202e z \\u009b');
  });

  it('has a position without a line when it comes from a flag', () => {
    assert.equal(positionOf({ file: '--to', line: 0, column: 0 }), '--to');
  });

  it('stands once, in the order of the file', () => {
    const at = (line: number, column: number, message: string) => makeProblem({ file: 'a', line, column }, message);
    const sorted = sortProblems([at(10, 1, 'c'), at(2, 5, 'b'), at(2, 5, 'b'), at(2, 1, 'a'), at(2, 5, 'a')]);
    assert.deepEqual(sorted.map(formatProblem), ['a:2:1: a', 'a:2:5: a', 'a:2:5: b', 'a:10:1: c']);
  });

  it('shows values short, quoted and without passwords', () => {
    assert.equal(showValue(null), 'nothing');
    assert.equal(showValue([1]), 'a list');
    assert.equal(showValue({}), 'a mapping');
    assert.equal(showValue(30), '30');
    assert.equal(showValue('http://me:secret@host/'), '"http://…@host/"');
    assert.equal(showValue('x'.repeat(1000)).length, 82);
  });
});
