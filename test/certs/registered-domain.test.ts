import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registeredDomain } from '../../src/certs/renewal/registered-domain.ts';

for (const [name, expected] of [
  ['example.com', 'example.com'],
  ['a.b.example.com', 'example.com'],
  ['*.example.co.uk', 'example.co.uk'],
  ['app.example.co.id', 'example.co.id'],
  ['one.github.io', 'one.github.io'],
  ['www.one.github.io', 'one.github.io'],
  ['github.io', 'github.io'],
  ['com', 'com'],
  ['localhost', 'localhost'],
  ['a.b.unknown-suffix', 'b.unknown-suffix'],
  ['www.xn--85x722f.xn--55qx5d.cn', 'xn--85x722f.xn--55qx5d.cn'],
  ['_acme.example.com', 'example.com'],
  ['203.0.114.7', '203.0.114.7'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:3::6', '2001:db8:1:2::/64'],
  ['2001:db8:0:0:3::6', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::', 'fe80:0:0:0::/64'],
] as const)
  test(`${name} counts for ${expected}`, () => assert.equal(registeredDomain(name), expected));
