import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldBytes } from '../../src/http2/held-bytes.ts';

const PIECE_BYTES = 64 * 1024;

test('what was handed on is not written over by what comes later', () => {
  const held = new HeldBytes();
  const kept: { readonly piece: Buffer; readonly as: Buffer }[] = [];
  let given = 0;
  for (let round = 0; round < 60; round++) {
    const sent = Buffer.alloc(30_000, round + 1);
    held.append(Buffer.concat([Buffer.from('##'), sent]), 2, 2 + sent.length);
    given += sent.length;
    sent.fill(0); // lent for the call
    if (round % 3 !== 2) continue;
    const piece = held.take();
    kept.push({ piece, as: Buffer.from(piece) });
  }
  while (held.length > 0) {
    const piece = held.take();
    assert.ok(piece.length <= PIECE_BYTES);
    kept.push({ piece, as: Buffer.from(piece) });
  }
  for (const { piece, as } of kept) assert.ok(piece.equals(as));
  const all = Buffer.concat(kept.map(({ piece }) => piece));
  assert.equal(all.length, given);
  for (let round = 0; round < 60; round++) assert.equal(all[round * 30_000 + 15_000], round + 1);
});
