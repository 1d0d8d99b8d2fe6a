// The priority that a client gives (RFC 9218 section 4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePriority } from '../../src/http2/priority.ts';

const USUAL = { urgency: 3, incremental: false };

test('urgency and incremental are read, and what else there is or is malformed is passed over', () => {
  assert.deepEqual(parsePriority('u=0, i'), { urgency: 0, incremental: true });
  assert.deepEqual(parsePriority('i=?0,u=7;x=y, other=1'), { urgency: 7, incremental: false });
  for (const value of ['', 'u=8', 'u=-1', 'u', 'U=1', 'u="1"', ',,,', 'i=?2'])
    assert.deepEqual(parsePriority(value), USUAL);
});

test('a value longer than any that says something says nothing: reading it would cost more than the request', () => {
  assert.deepEqual(parsePriority(`u=1${','.repeat(120)}`).urgency, 1);
  assert.deepEqual(parsePriority(`u=1${','.repeat(126)}`), USUAL);
});
