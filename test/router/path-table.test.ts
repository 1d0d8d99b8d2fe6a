import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PathPattern, PathTable } from '../../src/router/path-table.ts';

const patterns: readonly PathPattern<string>[] = ['/', '/old', '/api/*', '/api/v2/*', '/api/v2/exact', '/a%2Fb'].map(
  (path) => ({ path, value: path }),
);

test('an exact path beats the longest prefix, whatever the order of the patterns', () => {
  const expected: readonly (readonly [string, string | null])[] = [
    ['/', '/'],
    ['/old', '/old'],
    ['/old/', null],
    ['/OLD', null],
    ['/api', null],
    ['/api/', '/api/*'],
    ['/api/x', '/api/*'],
    ['/apix', null],
    ['/api/v2', '/api/*'],
    ['/api/v2/', '/api/v2/*'],
    ['/api/v2/exact', '/api/v2/exact'],
    ['/api/v2/exact/', '/api/v2/*'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a/b', null],
    ['//api/x', null],
    ['*', null],
    ['/__proto__', null],
  ];
  for (const order of [patterns, [...patterns].reverse()]) {
    const table = new PathTable(order);
    for (const [path, route] of expected) assert.equal(table.match(path), route, path);
  }
});

test('only the route of everything takes the request for no path in particular', () => {
  assert.equal(new PathTable([{ path: '/*', value: 'all' }]).match('*'), 'all');
  assert.equal(new PathTable([{ path: '/a/*', value: 'a' }]).match('*'), null);
});
