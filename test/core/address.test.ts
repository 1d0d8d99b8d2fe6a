import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPublicAddress, normalizeAddress } from '../../src/core/address.ts';

describe('IP addresses', () => {
  it('have one form, and IPv4 hidden in IPv6 is IPv4', () => {
    const cases: Record<string, string> = {
      '10.0.0.1': '10.0.0.1',
      '2001:0DB8::0001': '2001:db8::1',
      '0:0:0:0:0:0:0:1': '::1',
      '::ffff:10.0.0.1': '10.0.0.1',
      '::ffff:7f00:1': '127.0.0.1',
      '::': '::',
    };
    for (const [input, expected] of Object.entries(cases)) assert.equal(normalizeAddress(input), expected, input);
  });

  it('are public outside the special ranges', () => {
    for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00::1', '100.128.0.1'])
      assert.equal(isPublicAddress(address), true, address);
  });

  it('are not public inside them', () => {
    const special = [
      ...['0.0.0.0', '10.255.0.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.16.0.1', '192.168.1.1', '198.18.0.1'],
      ...[
        '203.0.113.5',
        '224.0.0.1',
        '255.255.255.255',
        '::',
        '::1',
        'fc00::1',
        'fd12::1',
        'fe80::1',
        'ff02::1',
        '2001:db8::1',
      ],
    ];
    for (const address of special) assert.equal(isPublicAddress(address), false, address);
  });
});
