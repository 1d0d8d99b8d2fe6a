import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostTable } from '../../src/router/host-table.ts';

const table = new HostTable(
  new Map([
    ['example.com', 'apex'],
    ['a.example.com', 'exact'],
    ['*.example.com', 'wildcard'],
    ['localhost', 'label'],
    ['127.0.0.1', 'address'],
    ['::1', 'six'],
  ]),
);

test('a host belongs to its exact name, else to the wildcard one label up, else to nobody', () => {
  const expected: readonly (readonly [string, string | null])[] = [
    ['example.com', 'apex'],
    ['a.example.com', 'exact'],
    ['b.example.com', 'wildcard'],
    ['a.b.example.com', null],
    ['com', null],
    ['other.com', null],
    ['evilexample.com', null],
    ['localhost', 'label'],
    ['a.localhost', null],
    ['127.0.0.1', 'address'],
    ['0.0.1', null],
    ['::1', 'six'],
    ['', null],
    ['*.example.com', 'wildcard'],
    ['__proto__', null],
    ['constructor', null],
  ];
  for (const [host, site] of expected) assert.equal(table.match(host), site, host);
});

test('a host that nobody has belongs to the site of others, if they have it', () => {
  const others = { site: 'others', has: (host: string): boolean => host === 'shop.other.com' };
  const both = new HostTable(
    new Map([
      ['shop.other.com.example.com', 'exact'],
      ['*.example.com', 'wildcard'],
    ]),
    others,
  );
  assert.equal(both.match('shop.other.com'), 'others');
  assert.equal(both.match('a.example.com'), 'wildcard');
  assert.equal(both.match('evil.other.com'), null);
  assert.equal(both.match('example.com'), null);
});
