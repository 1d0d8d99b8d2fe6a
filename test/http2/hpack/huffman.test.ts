import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConnectionFault } from '../../../src/http2/fault.ts';
import { decodeHuffman } from '../../../src/http2/huffman-decoder.ts';
import { encodeHuffman, MAX_HUFFMAN_CHARS } from '../../../src/http2/huffman-encoder.ts';
import { eosCode, fromHuffman, huffman } from '../../support/h2-huffman.ts';
import { runs } from '../../support/property-runs.ts';

const decoded = (coded: Buffer): string => decodeHuffman(coded, 0, coded.length);
const everyByte = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
/** What the encoder makes use of the code for; NUL, for whatever reason, has a short code. */
const PRINTABLE = /^[\0 -[\]-~]*$/;
const bytes = fc.stringMatching(/^[\x00-\xff]{0,80}$/);

const printable = fc.stringMatching(/^[ -~]{0,80}$/);

/** What encodeHuffman writes, or null; fails when it touches more than it may. */
function encoded(text: string): Buffer | null {
  const out = Buffer.alloc(text.length + 16, 0xaa);
  const end = encodeHuffman(text, out, 7);
  assert.ok(out.subarray(7 + text.length + 1).every((byte) => byte === 0xaa));
  return end < 0 ? null : out.subarray(7, end);
}

describe('the Huffman code', () => {
  it('is decoded for each byte, and for each two in a row', () => {
    for (const one of everyByte)
      for (const other of ['', ...everyByte]) assert.equal(decoded(huffman(one + other)), one + other);
  });

  it('is written for each byte of printable text, with whatever bits are open before it', () => {
    // Codes of five bits around the byte: those before it bring it to each place in a byte, those behind make the text shorter.
    for (const one of everyByte)
      for (let before = 0; before < 8; before++) {
        const text = `${'0'.repeat(before)}${one}${'a'.repeat(60)}`;
        assert.deepEqual(encoded(text), PRINTABLE.test(one) ? huffman(text) : null, text);
      }
  });

  it('is the same both ways for any text', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, printable), (text) => {
        assert.equal(decoded(huffman(text)), text);
        const ours = encoded(text);
        if (ours !== null) assert.deepEqual(ours, huffman(text));
        assert.equal(ours !== null, huffman(text).length < text.length && PRINTABLE.test(text));
      }),
      runs(3_000),
    );
  });

  it('is decoded, or refused, as by a plain decoder, whatever the bytes', () => {
    const coded = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.tuple(bytes, fc.nat(7), fc.nat(40)).map(([text, bit, at]) => {
        const flipped = huffman(text);
        if (flipped.length > 0) flipped[at % flipped.length]! ^= 1 << bit;
        return flipped;
      }),
    );
    fc.assert(
      fc.property(coded, (input) => {
        const plain = outcome(() => fromHuffman(Buffer.from(input)));
        assert.equal(
          outcome(() => decoded(Buffer.from(input))),
          plain,
        );
      }),
      runs(10_000),
    );
  });

  it('never holds EOS', () => {
    assert.throws(() => decoded(eosCode()), /EOS/);
    assert.throws(() => decoded(Buffer.concat([huffman('a0'), eosCode(), huffman('b')])), /EOS/);
  });

  it('is padded with fewer than eight ones', () => {
    assert.equal(decoded(Buffer.from([0x1f])), 'a');
    assert.throws(() => decoded(Buffer.from([0x1f, 0xff])), /padding/);
    assert.throws(() => decoded(Buffer.from([0xff])), /padding/);
    assert.throws(() => decoded(Buffer.from([0x1e])), /padding/);
    assert.throws(() => decoded(Buffer.from([0x18])), /padding/);
  });

  it('is decoded however long the text is', () => {
    for (const length of [20_000, 40_000, 70_000]) {
      const text = '0a1'.repeat(length);
      assert.equal(decoded(huffman(text)), text);
    }
  });

  it('is not written for texts that are too long', () => {
    assert.deepEqual(encoded('a'.repeat(MAX_HUFFMAN_CHARS)), huffman('a'.repeat(MAX_HUFFMAN_CHARS)));
    assert.equal(encoded('a'.repeat(MAX_HUFFMAN_CHARS + 1)), null);
  });
});

/** The text, or null when it is refused as it should. */
function outcome(read: () => string): string | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConnectionFault || /Huffman/.test(String(error))) return null;
    throw error;
  }
}
