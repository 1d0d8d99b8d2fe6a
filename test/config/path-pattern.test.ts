import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePathPattern, patternMatches } from '../../src/config/path-pattern.ts';
import { normalizePath } from '../../src/http/request-target.ts';

describe('a path pattern', () => {
  it('has the normal form of the requests it is meant for', () => {
    const paths = [
      '/',
      '/a',
      '/a/',
      '//a//b',
      '/%7euser',
      '/caf%c3%a9',
      '/a%2fb',
      "/!$&'()+,;=:@~_.-",
      '/a"<>[]^`{|}',
      '/a%20b',
    ];
    for (const path of paths) {
      const pattern = parsePathPattern(path);
      assert.ok(pattern.ok, path);
      assert.equal(pattern.value, normalizePath(path), path);
    }
  });

  it('may be written with letters that clients percent-encode', () => {
    const pattern = parsePathPattern('/café/日本/*');
    assert.ok(pattern.ok);
    assert.equal(pattern.value, '/caf%C3%A9/%E6%97%A5%E6%9C%AC/*');
  });

  it('that ends in /* matches what lies below, and not the folder itself', () => {
    assert.equal(patternMatches('/api/*', '/api/x'), true);
    assert.equal(patternMatches('/api/*', '/api/'), true);
    assert.equal(patternMatches('/api/*', '/api'), false);
    assert.equal(patternMatches('/old', '/old'), true);
    assert.equal(patternMatches('/old', '/old/'), false);
  });

  it('that no request could have is refused', () => {
    for (const path of [
      '',
      'a',
      '/a/../b',
      '/./a',
      '/%2e',
      '/a%2f..',
      '/a%5c..%5cb',
      '/%',
      '/a?b',
      '/a#b',
      '/a b',
      '/*a',
      '/a*/*',
    ])
      assert.equal(parsePathPattern(path).ok, false, path);
  });
});
