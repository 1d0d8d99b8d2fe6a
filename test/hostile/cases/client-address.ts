// Item 20: who the client is, behind a proxy that is trusted (here 127.0.0.0/8 and 10.0.0.0/8).
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { also, forwarded, type HostileCase } from '../hostile-case.ts';

const CHAIN = 'RFC 7239 section 8.1';
const MAPPED = 'Traefik GHSA-7jmw-8259-q9jx';

/** `seen`: what the origin is told; the proxy in front is always its last element. */
const chain = (name: string, lines: readonly string[], seen: string, source = CHAIN): HostileCase => ({
  item: 20,
  name,
  source,
  send: request('/', lines),
  expect: also(forwarded('GET /'), ({ requests }) => {
    assert.deepEqual(requests[0]!.fields('x-forwarded-for'), [seen]);
    const nodes = seen.split(', ').map((address) => (address.includes(':') ? `for="[${address}]"` : `for=${address}`));
    assert.ok(requests[0]!.fields('forwarded')[0]!.startsWith(`${nodes.join(', ')};`), 'Forwarded says the same');
  }),
});

const forwardedFor = (value: string, seen: string, source = CHAIN): HostileCase =>
  chain(
    `X-Forwarded-For: ${value.length > 60 ? `${value.slice(0, 30)}…` : value}`,
    [`X-Forwarded-For: ${value}`],
    seen,
    source,
  );

export const clientAddressCases: readonly HostileCase[] = [
  forwardedFor('192.0.2.1', '192.0.2.1, 127.0.0.1'),
  forwardedFor('6.6.6.6, 192.0.2.1', '192.0.2.1, 127.0.0.1'),
  forwardedFor('6.6.6.6, 192.0.2.1, 10.1.2.3', '192.0.2.1, 10.1.2.3, 127.0.0.1'),
  forwardedFor('10.6.6.6, 192.0.2.1', '192.0.2.1, 127.0.0.1'),
  forwardedFor('6.6.6.6, 192.0.2.1, ::ffff:10.1.2.3', '192.0.2.1, 10.1.2.3, 127.0.0.1', MAPPED),
  forwardedFor('6.6.6.6, ::ffff:c000:201', '192.0.2.1, 127.0.0.1', MAPPED),
  forwardedFor('192.0.2.1:4711', '192.0.2.1, 127.0.0.1'),
  forwardedFor('[2001:DB8::1]:4711', '2001:db8::1, 127.0.0.1'),
  forwardedFor('2001:db8:0:0::1', '2001:db8::1, 127.0.0.1'),
  forwardedFor('fe80::1%eth0', '127.0.0.1'),
  forwardedFor('unknown', '127.0.0.1'),
  forwardedFor('6.6.6.6, garbage', '127.0.0.1'),
  forwardedFor('garbage, 192.0.2.1', '192.0.2.1, 127.0.0.1'),
  forwardedFor('6.6.6.6, , 192.0.2.1', '192.0.2.1, 127.0.0.1'),
  forwardedFor('192.0.2.1,', '127.0.0.1'),
  forwardedFor('192.0.2.256', '127.0.0.1'),
  forwardedFor('0x7f.0.0.1', '127.0.0.1'),
  forwardedFor('0300.0.2.1', '127.0.0.1'),
  forwardedFor('192.0.2.1 6.6.6.6', '127.0.0.1'),
  forwardedFor('"192.0.2.1"', '127.0.0.1'),
  forwardedFor(`${'6.6.6.6, '.repeat(999)}192.0.2.1`, '192.0.2.1, 127.0.0.1'),
  chain(
    'two X-Forwarded-For fields',
    ['X-Forwarded-For: 6.6.6.6', 'x-forwarded-for: 192.0.2.1'],
    '192.0.2.1, 127.0.0.1',
  ),
  chain('X_Forwarded_For beside nothing', ['X_Forwarded_For: 6.6.6.6'], '127.0.0.1', 'Traefik CVE-2026-39858'),
  chain('X-Real-IP beside nothing', ['X-Real-IP: 6.6.6.6'], '127.0.0.1'),
  chain('Forwarded alone', ['Forwarded: for=6.6.6.6, for=192.0.2.1;proto=http'], '192.0.2.1, 127.0.0.1'),
  chain(
    'Forwarded beside X-Forwarded-For',
    ['Forwarded: for=6.6.6.6', 'X-Forwarded-For: 192.0.2.1'],
    '192.0.2.1, 127.0.0.1',
  ),
  chain('Forwarded with an obfuscated client', ['Forwarded: for=_secret'], '127.0.0.1'),
  chain('Forwarded with an open quote', ['Forwarded: for="192.0.2.1'], '127.0.0.1'),
  {
    item: 20,
    name: 'X-Forwarded-Host and -Proto with line ends and nonsense',
    source: 'Traefik CVE-2026-35051; RFC 9110 section 5.5',
    send: request('/', [
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Host: evil.example/x?y',
      'X-Forwarded-Proto: javascript',
    ]),
    expect: also(forwarded('GET /'), ({ requests }) => {
      assert.deepEqual(requests[0]!.fields('x-forwarded-host'), ['app.localhost']);
      assert.deepEqual(requests[0]!.fields('x-forwarded-proto'), ['https']);
    }),
  },
];
