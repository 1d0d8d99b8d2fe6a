import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUFFER_BYTES, BufferPool } from '../../src/core/buffer-pool.ts';

test('a read buffer is used again once every piece of it has been given back, before or after they were counted', () => {
  const pool = new BufferPool();
  const buffer = pool.take();
  pool.lend(buffer);
  pool.giveBack(buffer.subarray(0, 10));
  pool.count(buffer, 2);
  assert.notEqual(pool.take(), buffer);
  pool.giveBack(buffer.subarray(10));
  assert.equal(pool.take(), buffer);
});

test('pieces carved for copies never overlap, and their buffer comes back only when it is full and all are written', () => {
  const pool = new BufferPool();
  const pieces = Array.from({ length: 8 }, (_, i) => pool.carve(BUFFER_BYTES / 8).fill(i));
  for (const [i, piece] of pieces.entries()) assert.ok(piece.every((byte) => byte === i));
  const slab = pieces[0]!.buffer;
  for (const piece of pieces) assert.equal(piece.buffer, slab);
  for (const piece of pieces.slice(1)) pool.giveBack(piece);
  assert.notEqual(pool.carve(BUFFER_BYTES).buffer, slab, 'one piece is still being written');
  pool.giveBack(pieces[0]!);
  assert.equal(pool.carve(1).buffer, slab);
});

test('a piece that was never given back keeps its buffer out of the pool', () => {
  const pool = new BufferPool();
  const lost = pool.carve(5);
  for (let i = 0; i < 300; i++) {
    const piece = pool.carve(BUFFER_BYTES / 2);
    assert.ok(i === 0 || piece.buffer !== lost.buffer);
    pool.giveBack(piece);
  }
  for (let i = 0; i < 70; i++) assert.notEqual(pool.take().buffer, lost.buffer);
});

test('only pieces of the shared buffer count as shared', () => {
  const pool = new BufferPool();
  assert.ok(pool.isShared(pool.shared.subarray(3, 9)));
  assert.ok(!pool.isShared(pool.carve(9)));
});
