import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PerantaraError } from '../../src/core/errors.ts';
import { errorPage, plainHead } from '../../src/http/plain-response.ts';
import { reasonPhrase, statusOf } from '../../src/http/status.ts';

test('an error page names status, meaning and request id, as text or as HTML, and nothing of what is behind', () => {
  for (const status of [400, 404, 408, 413, 414, 417, 421, 431, 500, 501, 502, 503, 504, 505]) {
    for (const html of [false, true]) {
      const { contentType, text } = errorPage(status, '0123456789abcdef', html);
      assert.equal(contentType, html ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8');
      assert.ok(text.includes(`${status} ${reasonPhrase(status)}`));
      assert.ok(text.includes('0123456789abcdef'));
      assert.doesNotMatch(text, /perantara|node|upstream|127\.0\.0\.1/i);
      assert.equal(text.startsWith('<!doctype html>'), html);
      assert.doesNotMatch(text, /<p><\/p>/, `status ${status} is not explained`);
    }
  }
});

test('every error has one status: by its code, else by who is to blame', () => {
  const table: readonly (readonly [code: string, source: 'downstream' | 'upstream' | 'internal', status: number])[] = [
    ['bad_request', 'downstream', 400],
    ['not_found', 'downstream', 404],
    ['request_timeout', 'downstream', 408],
    ['body_too_large', 'downstream', 413],
    ['target_too_long', 'downstream', 414],
    ['expectation_failed', 'downstream', 417],
    ['misdirected', 'downstream', 421],
    ['head_too_large', 'downstream', 431],
    ['not_implemented', 'downstream', 501],
    ['unsupported_version', 'downstream', 505],
    ['connect_failed', 'upstream', 502],
    ['upstream_closed', 'upstream', 502],
    ['upstream_malformed', 'upstream', 502],
    ['no_target', 'upstream', 503],
    ['connect_timeout', 'upstream', 504],
    ['response_timeout', 'upstream', 504],
    ['anything', 'downstream', 400],
    ['anything', 'upstream', 502],
    ['anything', 'internal', 500],
  ];
  for (const [code, source, status] of table) assert.equal(statusOf(new PerantaraError('x', { code, source })), status);
});

test('our own responses carry a date and no name of a server', () => {
  const { headers } = plainHead(200, 'text/plain', ['X-A', 'b']);
  assert.match(headers.get('date') ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  assert.equal(headers.get('server'), null);
  assert.equal(headers.get('x-a'), 'b');
});
