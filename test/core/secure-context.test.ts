// Read from /proc by process.memoryUsage.rss, with room for what else goes on in the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecureContext, type SecureContext } from 'node:tls';
import { checkSecureContext, releaseSecureContext } from '../../src/core/secure-context.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const MIB = 1024 * 1024;
const { certPem: cert, keyPem: key } = mint(['a.example.com'], makeAuthority());

test('a released context gives its memory back although the object lives on', () => {
  const grow = (count: number): SecureContext[] =>
    Array.from({ length: count }, () => {
      const context = createSecureContext({ cert, key });
      releaseSecureContext(context);
      return context;
    });
  const held = grow(200); // what the process needs in any case
  const before = process.memoryUsage.rss();
  held.push(...grow(2_000));
  const grownBytes = process.memoryUsage.rss() - before;
  assert.equal(held.length, 2_200);
  // 2,000 that were not released take about 76 MiB.
  assert.ok(grownBytes < 30 * MIB, `${Math.round(grownBytes / MIB)} MiB`);
});

test('releasing twice is no error', () => {
  const context = createSecureContext({ cert, key });
  releaseSecureContext(context);
  releaseSecureContext(context);
});

test('a check says what OpenSSL says', () => {
  checkSecureContext({ cert, key });
  assert.throws(() => checkSecureContext({ cert, key: mint(['b.example.com'], makeAuthority()).keyPem }), /mismatch/);
});
