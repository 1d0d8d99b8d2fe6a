import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthority } from '../../src/http/authority.ts';

test('a host with or without a port is brought to its normal form', () => {
  const table: readonly (readonly [string, string, number | null])[] = [
    ['example.com', 'example.com', null],
    ['EXAMPLE.com', 'example.com', null],
    ['example.com.', 'example.com', null],
    ['example.com:', 'example.com', null],
    ['example.com:443', 'example.com', 443],
    ['example.com:65535', 'example.com', 65_535],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', null],
    ['localhost', 'localhost', null],
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['[::1]', '::1', null],
    ['[2001:DB8:0::1]:8443', '2001:db8::1', 8443],
    ['[::ffff:10.0.0.1]', '10.0.0.1', null],
  ];
  for (const [text, host, port] of table) assert.deepEqual(parseAuthority(text), { host, port }, text);
});

test('anything doubtful is refused', () => {
  const refused = [
    '',
    ':443',
    'a b',
    'user@example.com',
    'user:password@example.com',
    'example.com:0',
    'example.com:65536',
    'example.com:99999',
    'example.com:4a',
    'example.com:-1',
    'example.com:+1',
    'example.com:443:443',
    'example.com/',
    'example.com?a',
    'example.com#a',
    'example.com,evil.com',
    'example_com',
    'ex%61mple.com',
    'exa\x00mple.com',
    'example.com%00',
    'b\xfccher.example',
    'bücher.example',
    '-a.example',
    'a..b',
    '.a',
    '..',
    '*.example.com',
    '1.2.3',
    '1.2.3.256',
    '0x7f.1',
    '::1',
    '[::1',
    '::1]',
    '[::1%eth0]',
    '[fe80::1%25eth0]',
    '[1.2.3.4]x',
    '[g::1]',
    '[]',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
  ];
  for (const text of refused) assert.equal(parseAuthority(text), null, text);
});
