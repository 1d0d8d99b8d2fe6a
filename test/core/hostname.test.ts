import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isLocalName,
  isReservedName,
  normalizeHostname,
  normalizeHostPattern,
  wildcardOf,
} from '../../src/core/hostname.ts';

describe('host names', () => {
  it('have one form', () => {
    const cases: Record<string, string> = {
      'App.Example.COM': 'app.example.com',
      'example.com.': 'example.com',
      'bücher.example': 'xn--bcher-kva.example',
      'BÜCHER.example': 'xn--bcher-kva.example',
      'xn--bcher-kva.example': 'xn--bcher-kva.example',
      localhost: 'localhost',
      '127.0.0.1': '127.0.0.1',
      '[::1]': '::1',
      '2001:DB8:0:0::1': '2001:db8::1',
      '::ffff:10.0.0.1': '10.0.0.1',
      '[::FFFF:a00:1]': '10.0.0.1',
    };
    for (const [input, expected] of Object.entries(cases)) assert.equal(normalizeHostname(input), expected, input);
  });

  it('are refused when they are none', () => {
    const bad = [
      ...[
        '',
        '.',
        '..',
        'a..b',
        '.a',
        'a_b.example',
        '-a.example',
        'a-.example',
        'a b',
        'a/b',
        'a:80',
        'user@a',
        'a%2e',
      ],
      ...[
        '[a]',
        '[127.0.0.1',
        '256.1.1.1',
        '1.2.3',
        '0x7f.1',
        '127.1',
        'a.123',
        '１２７.０.０.１',
        'fe80::1%eth0',
        'a\0b',
        '*',
      ],
      ...[`${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}example`, 'a。。b', 'exa\u00admple_'],
    ];
    for (const input of bad) assert.equal(normalizeHostname(input), null, JSON.stringify(input));
  });

  it('may have a wildcard for their first label only', () => {
    assert.equal(normalizeHostPattern('*.Example.com'), '*.example.com');
    for (const input of ['*', '*.', '*.*.a', 'a.*.b', '*a.b', '*.127.0.0.1', '*.[::1]', '**.a'])
      assert.equal(normalizeHostPattern(input), null, input);
    assert.equal(wildcardOf('a.b.c'), '*.b.c');
    assert.equal(wildcardOf('localhost'), null);
  });

  it('are local when no authority can look at them', () => {
    for (const name of [
      'localhost',
      'a.localhost',
      '*.localhost',
      '*.dev.localhost',
      'intranet',
      '10.1.2.3',
      '::1',
      'fd00::1',
      '192.168.0.1',
    ])
      assert.equal(isLocalName(name), true, name);
    for (const name of [
      'example.com',
      '*.example.com',
      'localhost.example.com',
      '8.8.8.8',
      '2606:4700::1111',
      'a.test',
    ])
      assert.equal(isLocalName(name), false, name);
  });

  it('are reserved under suffixes that the public DNS does not have', () => {
    for (const name of ['a.test', 'a.local', '*.a.internal', 'a.home.arpa', 'x.onion'])
      assert.equal(isReservedName(name), true, name);
    for (const name of ['test.com', 'a.attest', 'example.com', 'contest'])
      assert.equal(isReservedName(name), false, name);
  });
});
