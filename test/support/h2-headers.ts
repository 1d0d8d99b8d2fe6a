// Header blocks written by hand (RFC 7541): each representation as bytes, to be put together, broken ones too.
import { bytes, continuation, END_HEADERS, frame, HEADERS } from './h2-frames.ts';
import { huffman } from './h2-huffman.ts';

/** Name and value. */
export type FieldPair = readonly [string, string];

/** An integer with a prefix of so many bits (section 5.1); `first`: the bits before it. */
export function integer(value: number, prefixBits: number, first = 0): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([first | value]);
  const out = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  return Buffer.from([...out, rest]);
}

export type Coding = 'plain' | 'huffman';

export function stringLiteral(text: string, coding: Coding = 'plain'): Buffer {
  const coded = coding === 'huffman' ? huffman(text) : bytes(text);
  return Buffer.concat([integer(coded.length, 7, coding === 'huffman' ? 0x80 : 0), coded]);
}

/** Section 6.1. Static entries are 1–61, the newest of the dynamic table is 62. */
export const indexed = (index: number): Buffer => integer(index, 7, 0x80);

/** What a literal does to the receiver's table (section 6.2). */
export type Indexing = 'without' | 'incremental' | 'never';
const LITERAL_FORMS: Readonly<Record<Indexing, readonly [prefixBits: number, first: number]>> = {
  without: [4, 0],
  incremental: [6, 0x40],
  never: [4, 0x10],
};

/** `name`: a text, or an index into the tables. */
export function literal(
  name: string | number,
  value: string,
  how: Indexing = 'without',
  coding: Coding = 'plain',
): Buffer {
  const [prefixBits, first] = LITERAL_FORMS[how];
  const index = integer(typeof name === 'number' ? name : 0, prefixBits, first);
  const parts = typeof name === 'number' ? [index] : [index, stringLiteral(name, coding)];
  return Buffer.concat([...parts, stringLiteral(value, coding)]);
}

/** Section 6.3. */
export const tableSize = (size: number): Buffer => integer(size, 5, 0x20);

/** Fields as literals without indexing; anything else of a block goes in as bytes. */
export function block(parts: Iterable<FieldPair | Buffer>): Buffer {
  return Buffer.concat(Array.from(parts, (part) => (Buffer.isBuffer(part) ? part : literal(part[0], part[1]))));
}

export type Block = Iterable<FieldPair | Buffer> | Buffer;

/** HEADERS with the whole block; `flags` beside END_HEADERS. `pieceBytes`: more than that is cut into CONTINUATION. */
export function headers(stream: number, fields: Block, flags = 0, pieceBytes = 16_384): Buffer {
  const whole = Buffer.isBuffer(fields) ? fields : block(fields);
  if (whole.length <= pieceBytes) return frame(HEADERS, flags | END_HEADERS, stream, whole);
  const frames = [frame(HEADERS, flags, stream, whole.subarray(0, pieceBytes))];
  for (let at = pieceBytes; at < whole.length; at += pieceBytes) {
    const end = at + pieceBytes;
    frames.push(continuation(stream, whole.subarray(at, end), end >= whole.length ? END_HEADERS : 0));
  }
  return Buffer.concat(frames);
}

/** The fields of a request for app.localhost. */
export function requestFields(path = '/', method = 'GET', more: readonly FieldPair[] = []): FieldPair[] {
  const pseudo: FieldPair[] = [
    [':method', method],
    [':scheme', 'https'],
    [':path', path],
    [':authority', 'app.localhost'],
  ];
  return [...pseudo, ...more];
}
