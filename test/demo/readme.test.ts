import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHECKS } from './checks.ts';

test("README's table of checks is what the demo checks", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const shown = [...readme.matchAll(/^ok {4}(.+)$/gm)].map(([, name]) => name);
  deepStrictEqual(
    shown,
    CHECKS.map(({ name }) => name),
  );
});
