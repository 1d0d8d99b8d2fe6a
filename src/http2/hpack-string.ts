// Writes strings of HPACK (RFC 7541 section 5.2), one byte for each character of a text.
import { writeLatin1 } from '../core/latin1.ts';
import { integerBytes, writeInteger } from './hpack-integer.ts';
import { encodeHuffman } from './huffman-encoder.ts';

const PREFIX = 0x7f;
const HUFFMAN = 0x80;

/** Up to here the characters are taken one by one: a part of a text and a call of Buffer's cost more. */
const SHORT_CHARS = 32;

/** text[from, to) as it is. Returns the offset reached, as the other does. */
export function writePlain(out: Buffer, at: number, text: string, from: number, to: number): number {
  const length = to - from;
  let end = writeInteger(out, at, 0, PREFIX, length);
  if (length > SHORT_CHARS) return end + writeLatin1(out, text.slice(from, to), end);
  for (let i = from; i < to; i++) out[end++] = text.charCodeAt(i);
  return end;
}

/** Huffman-coded if that is shorter. Touches no byte that the plain string would not need, but one. */
export function writeShortest(out: Buffer, at: number, text: string): number {
  // What is coded is at least five eighths as long; a wrong guess is put right.
  const guess = at + integerBytes(PREFIX, (text.length * 3) >> 2);
  const end = encodeHuffman(text, out, guess);
  if (end < 0) return writePlain(out, at, text, 0, text.length);
  const start = at + integerBytes(PREFIX, end - guess);
  if (start !== guess) out.copyWithin(start, guess, end);
  writeInteger(out, at, HUFFMAN, PREFIX, end - guess);
  return start + end - guess;
}
