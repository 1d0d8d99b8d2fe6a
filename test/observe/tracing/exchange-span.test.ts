// What a collector is told of a request's target.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanOf } from '../../../src/observe/tracing/exchange-span.ts';
import { overRecord } from '../../support/over-record.ts';

test('the path of a span has no query, no user and no secret parameter in it, in whatever form the target came', () => {
  const path = (target: string) => spanOf(overRecord({ target })).attributes['url.path'];
  assert.equal(path('/a/b?token=secret#x'), '/a/b');
  assert.equal(path('http://user:secret@app.localhost/a?b'), '/a');
  assert.equal(path('HTTPS://user:secret@app.localhost'), '');
  assert.equal(path('//user:secret@app.localhost/a'), '//[redacted]@app.localhost/a');
  assert.equal(path('/a;jsessionid=secret;v=1/b'), '/a;jsessionid=[redacted]');
  assert.equal(path('*'), '*');
  assert.equal(String(path(`/${'x'.repeat(5_000)}`)).length, 1_024);
});
