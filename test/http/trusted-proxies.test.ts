import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendForwarded, believedClaims } from '../../src/http/forwarded.ts';
import { parseForwarded } from '../../src/http/forwarded-field.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { RequestHead } from '../../src/http/message.ts';
import { TrustedProxies } from '../../src/http/trusted-proxies.ts';

const trusted = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7/32']);
const peer = (address: string) => ({ address, port: 1, servername: '', tls: null });

test('a chain is believed from the right while each who added to it is trusted', () => {
  const table: readonly (readonly [chain: string, believed: readonly string[]])[] = [
    ['198.51.100.1', ['198.51.100.1']],
    ['6.6.6.6, 198.51.100.1', ['198.51.100.1']],
    ['6.6.6.6, 198.51.100.1, 10.0.0.2', ['198.51.100.1', '10.0.0.2']],
    ['198.51.100.1:4711, [2001:DB8::1]:99', ['198.51.100.1', '2001:db8::1']],
    ['6.6.6.6, ::ffff:10.1.2.3', ['6.6.6.6', '10.1.2.3']],
    ['10.0.0.1, 10.0.0.2', ['10.0.0.1', '10.0.0.2']],
    ['198.51.100.1, unknown, 10.0.0.2', ['10.0.0.2']],
    ['198.51.100.1, fe80::1%eth0', []],
    ['198.51.100.1,\t10.0.0.2 ', ['198.51.100.1', '10.0.0.2']],
    ['198.51.100.1\xa0, 10.0.0.2', ['10.0.0.2']],
    ['', []],
    [', ,', []],
    [Array.from({ length: 1_000 }, () => '10.0.0.1').join(','), Array.from({ length: 1_000 }, () => '10.0.0.1')],
  ];
  for (const [chain, believed] of table) assert.deepEqual(trusted.believedChain(chain), believed, chain.slice(0, 80));
});

test('an IPv4-mapped address is judged as the IPv4 address it is, and no network trusts nobody', () => {
  assert.equal(trusted.has('10.9.9.9'), true);
  assert.equal(trusted.has('192.0.2.8'), false);
  assert.equal(trusted.has('2001:db8:1::1'), true);
  assert.equal(new TrustedProxies([]).has('127.0.0.1'), false);
});

/** What the upstream is told about a request with these fields. */
function told(address: string, fields: readonly string[]): Record<string, string | null> {
  const headers = new HeaderList([...fields]);
  const request: RequestHead = {
    method: 'GET',
    scheme: 'https',
    authority: 'app.example',
    host: 'app.example',
    path: '/',
    query: '',
    headers,
    version: '1.1',
  };
  const claims = believedClaims(headers, peer(address), trusted);
  const out = new HeaderList();
  appendForwarded(out, request, peer(address), claims);
  return {
    for: out.get('x-forwarded-for'),
    proto: out.get('x-forwarded-proto'),
    host: out.get('x-forwarded-host'),
    forwarded: out.get('forwarded'),
  };
}

test("a stranger's claims change nothing", () => {
  const fields = ['X-Forwarded-For', '1.2.3.4', 'X-Forwarded-Proto', 'http', 'Forwarded', 'for=1.2.3.4'];
  assert.deepEqual(told('198.51.100.9', fields), {
    for: '198.51.100.9',
    proto: 'https',
    host: 'app.example',
    forwarded: 'for=198.51.100.9;host=app.example;proto=https',
  });
});

test("a trusted proxy's claims are passed on, with the proxy itself behind them", () => {
  const fields = [
    'X-Forwarded-For',
    '6.6.6.6, 198.51.100.1',
    'x-forwarded-proto',
    'HTTP',
    'X-Forwarded-Host',
    'shop.example:8443',
  ];
  assert.deepEqual(told('10.0.0.5', fields), {
    for: '198.51.100.1, 10.0.0.5',
    proto: 'http',
    host: 'shop.example:8443',
    forwarded: 'for=198.51.100.1, for=10.0.0.5;host="shop.example:8443";proto=http',
  });
});

test('Forwarded alone is understood too, and malformed claims of a trusted proxy are left out', () => {
  assert.deepEqual(
    told('2001:db8::5', ['Forwarded', 'for=6.6.6.6, For="[2001:DEAD::9]:80";proto=http;host=a.example , for=10.0.0.2']),
    {
      for: '2001:dead::9, 10.0.0.2, 2001:db8::5',
      proto: 'http',
      host: 'a.example',
      forwarded: 'for="[2001:dead::9]", for=10.0.0.2, for="[2001:db8::5]";host=a.example;proto=http',
    },
  );
  const fields = [
    'X-Forwarded-For',
    'garbage',
    'X-Forwarded-Proto',
    'gopher',
    'X-Forwarded-Host',
    'a b',
    'Forwarded',
    ';;',
  ];
  assert.equal(told('10.0.0.5', fields).for, '10.0.0.5');
  assert.equal(told('10.0.0.5', fields).proto, 'https');
  assert.equal(told('10.0.0.5', fields).host, 'app.example');
});

test('the Forwarded field is read by its grammar', () => {
  const element = (name: string | null, proto: string | null = null, host: string | null = null) => ({
    for: name,
    proto,
    host,
  });
  assert.deepEqual(parseForwarded('for=192.0.2.43, for="[2001:db8:cafe::17]:4711"'), [
    element('192.0.2.43'),
    element('[2001:db8:cafe::17]:4711'),
  ]);
  assert.deepEqual(parseForwarded('FOR=_hidden;proto=http;by=203.0.113.43;host="a\\"b"'), [
    element('_hidden', 'http', 'a"b'),
  ]);
  assert.deepEqual(parseForwarded(''), []);
  for (const bad of ['for', 'for=', 'for="x', 'for=a b', 'for=a\nfor=b', '=x'])
    assert.equal(parseForwarded(bad), null, bad);
});
