import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PerantaraError } from '../../src/core/errors.ts';
import { parseProxyHeader } from '../../src/server/proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const v2 = (rest: string): Buffer => Buffer.from(SIGNATURE + rest.replaceAll(' ', ''), 'hex');
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

test('both versions name the client, whichever way the bytes are cut', () => {
  const table: readonly (readonly [header: Buffer, client: { address: string; port: number } | null])[] = [
    [bytes('PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n'), { address: '192.0.2.1', port: 56324 }],
    [bytes('PROXY TCP6 2001:DB8::1 ::1 4 443\r\n'), { address: '2001:db8::1', port: 4 }],
    [bytes('PROXY TCP6 ::ffff:192.0.2.1 ::1 4 443\r\n'), { address: '192.0.2.1', port: 4 }],
    [bytes('PROXY UNKNOWN\r\n'), null],
    [bytes('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
    [v2('21 11 000c c0000201 cb007109 dc04 01bb'), { address: '192.0.2.1', port: 56324 }],
    [v2('21 11 000f c0000201 cb007109 dc04 01bb 040000'), { address: '192.0.2.1', port: 56324 }],
    [
      v2(`21 21 0024 20010db8000000000000000000000001 ${'00'.repeat(15)}01 0004 01bb`),
      { address: '2001:db8::1', port: 4 },
    ],
    [v2('20 00 0000'), null],
    [v2('21 00 0000'), null],
    [v2(`21 31 00d8 ${'00'.repeat(216)}`), null],
  ];
  for (const [header, client] of table) {
    const whole = Buffer.concat([header, bytes('GET /')]);
    for (let cut = 0; cut < header.length; cut++) assert.equal(parseProxyHeader(whole.subarray(0, cut)), null);
    assert.deepEqual(parseProxyHeader(whole), { client, end: header.length });
  }
});

test('anything else is refused as soon as it can be', () => {
  const table: readonly Buffer[] = [
    bytes('GET / HTTP/1.1\r\n'),
    bytes('\x16\x03\x01'),
    bytes('PROXY  TCP4 192.0.2.1 203.0.113.9 1 2\r\n'),
    bytes('PROXYTCP4 '),
    bytes('PROXY TCP4 192.0.2.1 203.0.113.9 1\r\n'),
    bytes('PROXY TCP4 192.0.2.1 203.0.113.9 1 2 3\r\n'),
    bytes('PROXY TCP4 192.0.2.1 203.0.113.9 65536 2\r\n'),
    bytes('PROXY TCP4 192.0.2.1 203.0.113.9 -1 2\r\n'),
    bytes('PROXY TCP4 2001:db8::1 ::1 1 2\r\n'),
    bytes('PROXY TCP4 localhost 203.0.113.9 1 2\r\n'),
    bytes('PROXY UDP4 192.0.2.1 203.0.113.9 1 2\r\n'),
    bytes('PROXY TCP4 192.0.2.1 203.0.113.9 1 2\n'),
    bytes(`PROXY TCP4 ${'1'.repeat(120)}`),
    bytes('\r\n\r\n\0\r\nQUIX'),
    v2('11 11 000c c0000201 cb007109 dc04 01bb'),
    v2('22 11 000c c0000201 cb007109 dc04 01bb'),
    v2('21 11 0004 c0000201'),
    v2('21 11 ffff'),
  ];
  for (const header of table) {
    assert.throws(
      () => parseProxyHeader(header),
      (error) => error instanceof PerantaraError && error.code === 'bad_proxy_header',
      JSON.stringify(header.toString('latin1')),
    );
  }
});
