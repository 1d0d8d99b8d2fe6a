import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as limits from '../../src/http2/limits.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/http2.md'), 'utf8');

test('every limit of HTTP/2 stands on the page with its value, and nothing else does', () => {
  const rows = new Map([...PAGE.matchAll(/\(`([A-Z0-9_]+)`\) \| ([^|]+) \|/g)].map(([, name, value]) => [name, value]));
  const written = Object.fromEntries(rows);
  const expected = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, show(name, value)]));
  assert.deepEqual(written, expected);
});

function show(name: string, value: number | limits.Allowance | limits.ListLimits): string {
  if (typeof value === 'object') {
    if ('listBytes' in value) return `${bytes(value.listBytes)}, ${value.fields}`;
    return `${value.burst}, then ${value.perSecond} a second`;
  }
  if (name.endsWith('_MS')) return `${value / 1_000} s`;
  return name.endsWith('_BYTES') ? bytes(value) : String(value);
}

function bytes(count: number): string {
  return count >= 1024 * 1024 ? `${count / (1024 * 1024)} MiB` : `${count / 1024} KiB`;
}
