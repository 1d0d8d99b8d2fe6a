import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../src/http/header-list.ts';
import { ConnectionFields } from '../../src/http/hop-by-hop.ts';
import { contentLength, requestFraming, responseFraming } from '../../src/http1/framing.ts';

const fields = (...lines: readonly string[]): ConnectionFields =>
  ConnectionFields.take(new HeaderList(lines.flatMap((line) => line.split(/: ?(.*)/s).slice(0, 2))));

test('the length of a request is what its one framing field says, and nothing without one', () => {
  assert.equal(requestFraming('1.1', fields()), 0);
  assert.equal(requestFraming('1.1', fields('Content-Length: 0')), 0);
  assert.equal(requestFraming('1.0', fields('content-LENGTH: 00012')), 12);
  assert.equal(requestFraming('1.1', fields('Content-Length: 9007199254740991')), Number.MAX_SAFE_INTEGER);
  assert.equal(requestFraming('1.1', fields('Transfer-Encoding: Chunked')), 'chunked');
});

test('a request whose length two readers could see differently is refused with 400', () => {
  const refused: readonly (readonly string[])[] = [
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'content-length: 0'],
    ['Content-Length: 5', 'Content-Length: 6'],
    ['Content-Length: 5', 'Content-Length: 5'],
    ...['+5', '-1', '0x5', '5,5', '5, 5', '5 5', '', '1e3', '5.0', '٣', '9007199254740992', '1'.repeat(20)].map(
      (value) => [`Content-Length: ${value}`],
    ),
    ...[
      'xchunked',
      'chunked, identity',
      'identity',
      'identity, chunked',
      'chunked, chunked',
      '"chunked"',
      'chunked;q=1',
    ].map((value) => [`Transfer-Encoding: ${value}`]),
    ...['', 'chunked,', ',chunked', '\tchunked', 'chun\u000bked', 'gzip, chunked'].map((value) => [
      `Transfer-Encoding: ${value}`,
    ]),
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  ];
  for (const lines of refused) {
    assert.throws(() => requestFraming('1.1', fields(...lines)), { code: 'bad_request' }, lines.join(' | '));
  }
  assert.throws(() => requestFraming('1.0', fields('Transfer-Encoding: chunked')), { code: 'bad_request' });
});

test('a transfer coding that exists but is not ours is 501', () => {
  for (const coding of ['gzip', 'deflate', 'compress', 'GZIP', 'br']) {
    assert.throws(() => requestFraming('1.1', fields(`Transfer-Encoding: ${coding}`)), { code: 'not_implemented' });
  }
});

test('a response without framing lasts until close, and one that cannot have content has none', () => {
  assert.equal(responseFraming('1.1', fields(), false), 'close');
  assert.equal(responseFraming('1.0', fields('Content-Length: 3'), false), 3);
  assert.equal(responseFraming('1.1', fields('Transfer-Encoding: chunked'), false), 'chunked');
  assert.equal(responseFraming('1.1', fields('Content-Length: 3'), true), 0);
  assert.equal(responseFraming('1.1', fields('Transfer-Encoding: chunked'), true), 0);
  assert.throws(() => responseFraming('1.1', fields('Content-Length: 3', 'Transfer-Encoding: chunked'), true));
});

test('the declared length of a response without content is known for those who pass it on', () => {
  assert.equal(contentLength(fields('Content-Length: 42')), 42);
  assert.equal(contentLength(fields()), null);
});
