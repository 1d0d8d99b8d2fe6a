import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../src/http/header-list.ts';
import { ConnectionFields, stripTrailers } from '../../src/http/hop-by-hop.ts';

const list = (...lines: readonly string[]): HeaderList =>
  new HeaderList(lines.flatMap((line) => line.split(/: ?(.*)/s).slice(0, 2)));

test('hop-by-hop and framing fields are removed in any case, the others keep order and duplicates', () => {
  const headers = list(
    'A: 1',
    'CONNECTION: keep-alive',
    'Keep-Alive: timeout=5',
    'proxy-Connection: close',
    'Proxy-Authenticate: x',
    'Proxy-Authorization: x',
    'Proxy-Authentication-Info: x',
    'TE: trailers',
    'a: 2',
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Upgrade: h2c',
    'HTTP2-Settings: x',
    'A: 3',
  );
  ConnectionFields.take(headers);
  assert.deepEqual(headers.flat, ['A', '1', 'a', '2', 'A', '3']);
});

test('fields named by any Connection field are removed, in any case and spacing', () => {
  const headers = list(
    'connection: X-One ,, x-TWO',
    'x-one: 1',
    'X-Two: 2',
    'Connection:x-three',
    'X-THREE: 3',
    'Kept: 4',
  );
  ConnectionFields.take(headers);
  assert.deepEqual(headers.flat, ['Kept', '4']);
});

test('of trailers, what would change framing, routing, trust or the content is removed', () => {
  const trailers = list('Host: x', 'Checksum: 1', 'Content-Length: 3', 'cookie: a', 'Content-Type: b', 'Connection: c');
  stripTrailers(trailers);
  assert.deepEqual(trailers.flat, ['Checksum', '1']);
});
