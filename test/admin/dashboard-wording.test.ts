// How the dashboard writes times, as a browser somewhere on earth would.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const { moment } = await import(pathToFileURL(join(import.meta.dirname, '../../src/admin/dashboard/wording.js')).href);

test('date and time of a moment are both those of the clock on the wall', (t) => {
  const before = process.env.TZ;
  t.after(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
  process.env.TZ = 'Asia/Jakarta';
  const at = Date.UTC(2026, 10, 28, 20, 12, 45);
  assert.equal(moment(at, at + 1_000), '03:12:45');
  assert.equal(moment(at, at + 2 * 86_400_000), '2026-11-29 03:12:45');
});
