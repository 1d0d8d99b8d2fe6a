// Writes Huffman-coded strings (RFC 7541 section 5.2), of texts that the code is made for: printable ASCII without a backslash.
// Other bytes have codes so long that most texts with them are shorter as they are, and all of them faster.
import { writeLatin1 } from '../core/latin1.ts';
import { CODE_BITS, CODES } from './huffman-code.ts';

/** The text's bytes while they are coded: several times as fast as asking a string for its characters. */
const BYTES = Buffer.allocUnsafeSlow(16 * 1024);

/** Longest text that is coded. */
export const MAX_HUFFMAN_CHARS: number = BYTES.length;

/** Of each byte, its code and in the low four bits its length; 0: it is too long. */
const SHORT_CODES = Int32Array.from(CODES, (code, symbol) =>
  CODE_BITS[symbol]! > 0xf ? 0 : (code << 4) | CODE_BITS[symbol]!,
);

/**
 * Writes `text`, one byte per character, at `out[at]` and returns the offset reached; -1 when that is not shorter than the
 * text itself, or the text is longer than MAX_HUFFMAN_CHARS or none that the code is made for. Touches no byte after
 * out[at + text.length].
 */
export function encodeHuffman(text: string, out: Buffer, at: number): number {
  const { length } = text;
  if (length > MAX_HUFFMAN_CHARS) return -1;
  const limit = at + length;
  writeLatin1(BYTES, text, 0);
  let to = at;
  let waiting = 0;
  let bits = 0;
  for (let i = 0; i < length; i++) {
    const code = SHORT_CODES[BYTES[i]!]!;
    if (code === 0) return -1;
    const size = code & 0xf;
    waiting = (waiting << size) | (code >> 4);
    bits += size;
    if (bits < 16) continue;
    if (to >= limit) return -1;
    bits -= 16;
    out[to] = waiting >>> (bits + 8);
    out[to + 1] = waiting >>> bits;
    to += 2;
  }
  if (to + ((bits + 7) >> 3) >= limit) return -1;
  if (bits >= 8) {
    bits -= 8;
    out[to++] = waiting >>> bits;
  }
  if (bits > 0) out[to++] = (waiting << (8 - bits)) | (0xff >>> bits);
  return to;
}
