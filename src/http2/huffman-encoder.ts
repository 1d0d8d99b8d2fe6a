// Writes Huffman-coded strings (RFC 7541 section 5.2).
import { writeLatin1 } from '../core/latin1.ts';
import { CODE_BITS, CODES } from './huffman-code.ts';

/** The text's bytes while they are coded: several times as fast as asking a string for its characters. */
const BYTES = Buffer.allocUnsafeSlow(16 * 1024);

/** Longest text that is coded. */
export const MAX_HUFFMAN_CHARS: number = BYTES.length;

/** With more bits than these a code is written in two parts: 31 bits is what there is room for, and 15 may be waiting. */
const PART_BITS = 15;
const PART = (1 << PART_BITS) - 1;

/**
 * Writes `text`, one byte per character, at `out[at]` and returns the offset reached; -1 when that would not be shorter than
 * the text itself, or the text is longer than MAX_HUFFMAN_CHARS. Touches no byte after out[at + text.length].
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
    const byte = BYTES[i]!;
    const code = CODES[byte]!;
    let size = CODE_BITS[byte]!;
    if (size > PART_BITS) {
      size -= PART_BITS;
      waiting = (waiting << size) | (code >>> PART_BITS);
      bits += size;
      if (bits >= 16) {
        if (to >= limit) return -1;
        bits -= 16;
        out[to++] = waiting >>> (bits + 8);
        out[to++] = waiting >>> bits;
      }
      size = PART_BITS;
    }
    waiting = (waiting << size) | (code & PART);
    bits += size;
    if (bits >= 16) {
      if (to >= limit) return -1;
      bits -= 16;
      out[to++] = waiting >>> (bits + 8);
      out[to++] = waiting >>> bits;
    }
  }
  if (to + ((bits + 7) >> 3) >= limit) return -1;
  if (bits >= 8) {
    bits -= 8;
    out[to++] = waiting >>> bits;
  }
  if (bits > 0) out[to++] = (waiting << (8 - bits)) | (0xff >>> bits);
  return to;
}
