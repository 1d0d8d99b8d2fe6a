// Decodes Huffman-coded strings (RFC 7541 section 5.2) by a state machine that takes a byte at a time and gives at most two
// characters for it: the shortest code has five bits. Its table is made when this file is loaded.
import { latin1 } from '../core/latin1.ts';
import { ConnectionFault } from './fault.ts';
import { CODE_BITS, CODES, EOS } from './huffman-code.ts';

/** A decoded string may be longer than the coded one by this, and by two bytes that are written and not counted. */
const MAX_GROWTH = 8 / 5;
const SPARE_BYTES = 2;

/** What is decoded stands here until it is a string; longer ones are given memory of their own. */
const DECODED = Buffer.allocUnsafeSlow(32 * 1024);

/** A step: bits 0–1 how many characters it gives, bit 2 whether EOS was met, bits 8–15 the state that follows, bits 16–23 and
 * 24–31 the characters. At `state << 8 | byte`. */
const STEPS = new Int32Array(256 * 256);
const COUNT = 0x3;
const MET_EOS = 0x4;
const STATE = 0xff00;
const FIRST_CHARACTER = 0xff0000;

/** States in which a string may end: nothing, or up to seven ones, since the last character. */
const MAY_END = new Uint8Array(256);

build();

/** buf[start, end) as text, one character per byte. Throws ConnectionFault COMPRESSION_ERROR. */
export function decodeHuffman(buf: Buffer, start: number, end: number): string {
  const most = (end - start) * MAX_GROWTH + SPARE_BYTES;
  const decoded = most <= DECODED.length ? DECODED : Buffer.allocUnsafe(Math.ceil(most));
  let state = 0;
  let seen = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const step = STEPS[state | buf[at]!]!;
    decoded[length] = step >> 16;
    decoded[length + 1] = step >>> 24;
    length += step & COUNT;
    seen |= step;
    state = step & STATE;
  }
  if ((seen & MET_EOS) !== 0) throw new ConnectionFault('COMPRESSION_ERROR', 'EOS in a Huffman-coded string');
  if (MAY_END[state >> 8] === 0)
    throw new ConnectionFault('COMPRESSION_ERROR', 'wrong padding of a Huffman-coded string');
  return latin1(decoded, 0, length);
}

/** The states are the inner nodes of the code's tree, the root first: 256 of them, since there are 257 symbols. */
function build(): void {
  const children: [number, number][] = [[0, 0]];
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0;
    for (let bit = CODE_BITS[symbol]! - 1; bit > 0; bit--) {
      const side = (CODES[symbol]! >>> bit) & 1;
      if (children[node]![side] === 0) children[node]![side] = children.push([0, 0]) - 1;
      node = children[node]![side]!;
    }
    children[node]![CODES[symbol]! & 1] = -1 - symbol;
  }
  // First steps of four bits, then two of them for each byte: that is several times as fast.
  const halves = Int32Array.from({ length: 256 * 16 }, (_, at) => halfStep(children, at >> 4, at & 0xf));
  for (let at = 0; at < STEPS.length; at++) {
    const first = halves[at >> 4]!;
    const second = halves[((first & STATE) >> 4) | (at & 0xf)]!;
    const character = (second & FIRST_CHARACTER) << ((first & COUNT) * 8);
    STEPS[at] = ((first & ~STATE) | (second & (STATE | MET_EOS)) | character) + (second & COUNT);
  }
  for (let ones = 0, node = 0; ones < 8; ones++, node = children[node]![1]) MAY_END[node] = 1;
}

/** With four bits no more than one character ends. */
function halfStep(children: readonly (readonly [number, number])[], state: number, bits: number): number {
  let node = state;
  let step = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = children[node]![(bits >> bit) & 1]!;
    if (node >= 0) continue;
    const symbol = -1 - node;
    step |= symbol === EOS ? MET_EOS : (symbol << 16) | 1;
    node = 0;
  }
  return step | (node << 8);
}
