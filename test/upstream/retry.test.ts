import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PerantaraError } from '../../src/core/errors.ts';
import { type Attempt, type Retry, shouldRetry } from '../../src/upstream/retry.ts';

const stale: Attempt = {
  method: 'GET',
  contentTaken: false,
  hasContent: false,
  reused: true,
  responseStarted: false,
  repeats: 0,
};

test('a request is repeated only where nothing of it can have been acted on', () => {
  const table: readonly (readonly [code: string, change: Partial<Attempt>, expected: Retry])[] = [
    ['connect_failed', {}, 'next-target'],
    ['connect_timeout', {}, 'next-target'],
    ['connect_failed', { method: 'POST', hasContent: true, reused: false }, 'next-target'],
    ['connect_failed', { contentTaken: true, hasContent: true }, 'no'],
    ['upstream_closed', {}, 'same-target'],
    ['upstream_closed', { method: 'HEAD' }, 'same-target'],
    ['upstream_closed', { method: 'PUT' }, 'same-target'],
    ['upstream_closed', { method: 'DELETE' }, 'same-target'],
    ['upstream_closed', { method: 'POST' }, 'no'],
    ['upstream_closed', { method: 'PATCH' }, 'no'],
    ['upstream_closed', { method: 'PROPFIND' }, 'no'],
    ['upstream_closed', { method: 'get' }, 'no'],
    ['upstream_closed', { method: 'PUT', hasContent: true }, 'no'],
    ['upstream_closed', { reused: false }, 'no'],
    ['upstream_closed', { responseStarted: true }, 'no'],
    ['upstream_closed', { repeats: 1 }, 'same-target'],
    ['upstream_closed', { repeats: 2 }, 'no'],
    ['upstream_refused', {}, 'same-target'],
    ['upstream_refused', { reused: false, repeats: 1 }, 'same-target'],
    ['upstream_refused', { method: 'POST', hasContent: true }, 'same-target'],
    ['upstream_refused', { method: 'POST', hasContent: true, contentTaken: true }, 'no'],
    ['upstream_refused', { repeats: 2 }, 'no'],
    ['connect_failed', { repeats: 2 }, 'next-target'],
    ['upstream_malformed', {}, 'no'],
    ['response_timeout', {}, 'no'],
    ['upstream_stalled', {}, 'no'],
  ];
  for (const [code, change, expected] of table) {
    const error = new PerantaraError('x', { code, source: 'upstream' });
    assert.equal(shouldRetry(error, { ...stale, ...change }), expected, `${code} ${JSON.stringify(change)}`);
  }
});
