import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { suggest } from '../../src/core/suggest.ts';

describe('a suggestion', () => {
  const words = ['email', 'directory', 'trust', 'keepAlive', 'key'];

  it('is the word with a slip of the finger in it', () => {
    assert.equal(suggest('emial', words), 'email');
    assert.equal(suggest('emai', words), 'email');
    assert.equal(suggest('ttrust', words), 'trust');
    assert.equal(suggest('directorie', words), 'directory');
  });

  it('does not mind upper and lower case', () => {
    assert.equal(suggest('KEEPALIVE', words), 'keepAlive');
  });

  it('is not made when nothing is near', () => {
    assert.equal(suggest('banana', words), null);
    assert.equal(suggest('x', words), null);
    assert.equal(suggest('', words), null);
  });

  it('is the nearest of several', () => {
    assert.equal(suggest('certs', ['cert', 'certs', 'carts']), 'certs');
  });
});
