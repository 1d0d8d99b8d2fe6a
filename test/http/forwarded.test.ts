import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendForwarded, appendVia, isClientClaim } from '../../src/http/forwarded.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { RequestHead } from '../../src/http/message.ts';

const request = (authority: string): RequestHead => ({
  method: 'GET',
  scheme: 'https',
  authority,
  host: 'a',
  path: '/',
  query: '',
  headers: new HeaderList(),
  version: '1.1',
});

test('the upstream learns address, scheme and host of the client, in both spellings', () => {
  const table: readonly (readonly [address: string, authority: string, forwarded: string])[] = [
    ['192.0.2.1', 'a.example', 'for=192.0.2.1;host=a.example;proto=https'],
    ['2001:db8::1', 'a.example:8443', 'for="[2001:db8::1]";host="a.example:8443";proto=https'],
    ['::1', '[::1]:443', 'for="[::1]";host="[::1]:443";proto=https'],
  ];
  for (const [address, authority, forwarded] of table) {
    const headers = new HeaderList();
    appendForwarded(headers, request(authority), { address, port: 1, servername: '', tls: null }, null);
    assert.equal(headers.get('x-forwarded-for'), address);
    assert.equal(headers.get('x-forwarded-proto'), 'https');
    assert.equal(headers.get('x-forwarded-host'), authority);
    assert.equal(headers.get('forwarded'), forwarded);
  }
});

test('this hop is appended to Via after those before it', () => {
  const headers = new HeaderList(['Via', '1.0 other']);
  appendVia(headers, request('a'));
  assert.equal(headers.getJoined('via'), '1.0 other, 1.1 perantara');
});

test("a client's word about itself is not passed on, in the spellings that applications take for the same field", () => {
  const claims = ['x-forwarded-for', 'x-forwarded-prefix', 'x-forwarded-port', 'forwarded', 'x-real-ip', 'proxy'];
  const paths = ['x-original-url', 'x-rewrite-url', 'X.Original.Url'];
  const lookalikes = [
    'x.forwarded.for',
    'x_forwarded_for',
    'x-forwarded_for',
    'x.real.ip',
    'x_real-ip',
    'x!forwarded!for',
  ];
  for (const name of [...claims, ...paths, ...lookalikes])
    assert.equal(isClientClaim(name, 0, name.length), true, name);
  const others = [
    'x-forward',
    'x-request-id',
    'forwarded-by',
    'x-real-ips',
    'x-original-urls',
    'x-original',
    'proxy-hint',
    'host',
    '__proto__',
    'x',
  ];
  for (const name of others) assert.equal(isClientClaim(name, 0, name.length), false, name);
});
