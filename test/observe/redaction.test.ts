import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redaction } from '../../src/observe/redaction.ts';

const X = '[redacted]';

test('fields that let whoever reads them in are not shown, others are', () => {
  const redaction = new Redaction([]);
  for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key', 'x-auth-token'])
    assert.equal(redaction.field(name)('abc'), X, name);
  for (const name of ['user-agent', 'accept', 'x-request-id', 'content-type', 'etag'])
    assert.equal(redaction.field(name)('abc'), 'abc', name);
});

test('parameters that let whoever reads them in are not shown, however they are spelled', () => {
  const redaction = new Redaction([]);
  const table: readonly (readonly [string, string])[] = [
    ['/', '/'],
    ['/a?b=c', '/a?b=c'],
    ['/a?token=abc', `/a?token=${X}`],
    ['/a?x=1&access_token=abc&y=2', `/a?x=1&access_token=${X}&y=2`],
    ['/a?Access-Token=abc', `/a?Access-Token=${X}`],
    ['/a?%74oken=abc', `/a?%74oken=${X}`],
    ['/a?user%5Bpassword%5D=abc', `/a?user%5Bpassword%5D=${X}`],
    ['/a?x=1;token=abc', `/a?x=1;token=${X}`],
    ['/a?x;sid=abc', `/a?x;sid=${X}`],
    ['/a?token=a;b=c', `/a?token=${X}`],
    ['/a?token', '/a?token'],
    ['/a?token=', `/a?token=${X}`],
    ['/a?token=a=b&code=1#key=2', `/a?token=${X}&code=${X}#key=${X}`],
    ['/a;jsessionid=abc', `/a;jsessionid=${X}`],
    ['/a;v=1?sig=abc', `/a;v=1?sig=${X}`],
    ['/a?&&==&token=abc', `/a?&&==&token=${X}`],
    ['/a?X-Amz-Signature=abc&X-Amz-Credential=d', `/a?X-Amz-Signature=${X}&X-Amz-Credential=${X}`],
    ['http://me:secret@host/?a=b', `http://${X}@host/?a=b`],
    [`/a?${'key=x&'.repeat(2_000)}b=c`, `/a?${`key=${X}&`.repeat(2_000)}b=c`],
    ['/a?monkey=1&barcode=2&design=3', '/a?monkey=1&barcode=2&design=3'],
  ];
  for (const [url, shown] of table) assert.equal(redaction.url(url), shown);
});

test('URLs in fields are looked at too', () => {
  const redaction = new Redaction([]);
  assert.equal(redaction.field('referer')('https://a/?token=b'), `https://a/?token=${X}`);
  assert.equal(redaction.field('location')('https://a/cb#access_token=b'), `https://a/cb#access_token=${X}`);
});

test('what is to be revealed is shown, and nothing else', () => {
  const redaction = new Redaction(['cookie', 'csrf_token']);
  assert.equal(redaction.field('cookie')('a=b'), 'a=b');
  assert.equal(redaction.field('authorization')('abc'), X);
  assert.equal(redaction.url('/?csrf_token=1&token=2'), `/?csrf_token=1&token=${X}`);
});
