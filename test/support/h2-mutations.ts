// Mutations of the bytes of HTTP/2 connections: of frames, of what their heads say, and of single bytes.
import fc from 'fast-check';
import {
  continuation,
  data,
  END_STREAM,
  frame,
  goAway,
  PADDED,
  PREFACE,
  ping,
  priority,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from './h2-frames.ts';
import { type FieldPair, headers, indexed, literal, requestFields, tableSize } from './h2-headers.ts';

const wrongRequest = (...more: readonly FieldPair[]): Buffer => headers(9, requestFields('/echo', 'POST', more), 0);
const get = requestFields('/echo');

/** Frames that have been the end of others, and some that have not; from either side. */
const HOSTILE: readonly Buffer[] = [
  ...[data(0, 'x'), data(2, 'x'), data(1, 'x'), data(1, ''), data(1, '', END_STREAM), data(99, 'x')],
  ...[frame(0, PADDED, 1, '\x05x'), frame(0, PADDED, 1, ''), frame(0, PADDED | END_STREAM, 1, '\x01x\0')],
  ...[headers(0, get, END_STREAM), headers(2, get, END_STREAM), headers(1, get, END_STREAM), headers(9, get)],
  ...[headers(1, [['x-trailer', 'y']], END_STREAM), headers(1, [['x-trailer', 'y']]), headers(1, [], END_STREAM)],
  ...[headers(1, [[':status', '200']]), headers(1, [[':status', '100']], END_STREAM), headers(3, [[':status', '204']])],
  ...[
    wrongRequest(['X-Upper', 'a']),
    wrongRequest(['connection', 'close']),
    wrongRequest(['transfer-encoding', 'chunked']),
  ],
  ...[
    wrongRequest(['te', 'gzip']),
    wrongRequest(['a', 'b\r\nc: d']),
    wrongRequest(['a', '\0']),
    wrongRequest(['', 'a']),
  ],
  ...[wrongRequest([':path', '/']), wrongRequest(['content-length', '5']), wrongRequest(['content-length', 'x'])],
  ...[wrongRequest(['expect', '100-continue']), wrongRequest(['expect', 'x']), wrongRequest(['host', 'b'])],
  ...[headers(9, [[':method', 'GET']], END_STREAM), headers(9, [], END_STREAM)],
  headers(
    9,
    [
      [':method', 'CONNECT'],
      [':authority', 'a'],
    ],
    0,
  ),
  headers(9, [...get.slice(1), [':method', 'CONNECT'], [':protocol', 'websocket']], 0),
  headers(
    9,
    get.map(([name, value]) => [name, name === ':path' ? '/a b' : value] as const),
    END_STREAM,
  ),
  ...[
    headers(9, [indexed(0)]),
    headers(9, [indexed(70)]),
    headers(9, [tableSize(5_000)]),
    headers(9, Buffer.from([0x40])),
  ],
  headers(9, [...get, tableSize(0)]),
  headers(9, [literal(':path', '/', 'incremental'), literal(60, 'x'.repeat(50), 'never', 'huffman')]),
  ...[frame(1, 0, 9, ''), continuation(1, ''), continuation(9, '', 0), frame(5, 4, 1, uint32(2))],
  ...[windowUpdate(0, 0), windowUpdate(1, 0), windowUpdate(0, 2 ** 31 - 1), windowUpdate(1, 2 ** 31 - 1)],
  ...[windowUpdate(99, 1), windowUpdate(1, 70_000), windowUpdate(0, 1_000_000)],
  ...[settings([4, 2 ** 31]), settings([4, 0]), settings([4, 2 ** 31 - 1]), settings([5, 1]), settings([2, 1])],
  ...[settings([2, 7]), settings([1, 0], [1, 4_096]), settings([1, 2 ** 32 - 1]), settings([3, 0]), settings([8, 2])],
  ...[frame(4, 0, 0, 'x'), frame(4, 1, 0, 'x'), frame(4, 1, 0), frame(4, 0, 1)],
  ...[ping('perantar', 1), ping('x'), frame(6, 0, 1, 'perantar')],
  ...[rstStream(1), rstStream(3, 'NO_ERROR'), rstStream(3, 'REFUSED_STREAM'), rstStream(0), rstStream(99)],
  ...[frame(3, 0, 1, 'x'), goAway(0), goAway(1), goAway(2 ** 31 - 1, 'ENHANCE_YOUR_CALM', 'x'), frame(7, 0, 0, 'x')],
  ...[priority(1, 1), priority(99, 99), priority(0), frame(2, 0, 1, 'x'), frame(0x10, 0, 0, `${'\0\0\0\x01'}u=7,i`)],
  ...[frame(0x10, 0, 0, 'x'), frame(0x10, 0, 1, '\0\0\0\x01'), frame(0xfe, 0xff, 1, 'x'.repeat(100))],
  ...[PREFACE, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), frame(0x77, 0, 0, '', 16_385)],
];

type FrameMutation = (frames: Buffer[]) => void;

/** A place among things, as a part of their number. */
const where = fc.nat(0xffff).map((part) => part / 0x10000);

/** A copy with one byte changed. */
function withByte(one: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(one);
  if (at < copy.length) copy[at] = change(copy[at]!);
  return copy;
}

/** A frame is put in, taken out, doubled, moved, or its head changed. */
const frameMutation: fc.Arbitrary<FrameMutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(where, fc.constantFrom(...HOSTILE)).map(
      ([at, hostile]): FrameMutation =>
        (frames) =>
          frames.splice(1 + Math.floor(at * frames.length), 0, hostile),
    ),
  },
  fc.tuple(where, fc.boolean()).map(
    ([at, twice]): FrameMutation =>
      (frames) => {
        const index = Math.floor(at * frames.length);
        frames.splice(index, twice ? 0 : 1, ...(twice ? [frames[index]!] : []));
      },
  ),
  fc.tuple(where, where).map(
    ([from, to]): FrameMutation =>
      (frames) => {
        const moved = frames.splice(Math.floor(from * frames.length), 1);
        frames.splice(Math.floor(to * (frames.length + 1)), 0, ...moved);
      },
  ),
  fc.tuple(where, fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8), fc.nat(255)).map(
    ([at, place, value]): FrameMutation =>
      (frames) => {
        const index = Math.floor(at * frames.length);
        frames[index] = withByte(frames[index]!, place, () => (place === 4 ? value & 0x2d : value % 12));
      },
  ),
  fc.tuple(where, fc.nat(7)).map(
    ([at, bit]): FrameMutation =>
      (frames) => {
        const index = Math.floor(at * frames.length);
        frames[index] = withByte(frames[index]!, 4, (flags) => flags ^ (1 << bit));
      },
  ),
  // The payload, mostly near its start.
  fc.tuple(where, fc.nat(60), fc.nat(255)).map(
    ([at, offset, value]): FrameMutation =>
      (frames) => {
        const index = Math.floor(at * frames.length);
        frames[index] = withByte(frames[index]!, 9 + offset, () => value);
      },
  ),
);

/** Bytes taken out or put in, wherever. */
const byteMutation: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc
  .tuple(where, fc.nat(12), fc.uint8Array({ maxLength: 8 }))
  .map(([at, removed, inserted]) => (all) => {
    const from = Math.floor(at * Math.min(all.length, 2_000));
    return Buffer.concat([all.subarray(0, from), inserted, all.subarray(from + removed)]);
  });

/** The bytes of a connection, after one to four mutations. */
export function mutated(source: fc.Arbitrary<{ readonly frames: readonly Buffer[] }>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(source, fc.array(frameMutation, { maxLength: 4 }), fc.option(byteMutation, { freq: 2 }))
    .map(([{ frames }, ofFrames, ofBytes]) => {
      const left = [...frames];
      for (const mutate of ofFrames) if (left.length > 0) mutate(left);
      const all = Buffer.concat(left);
      return ofBytes === null ? all : ofBytes(all);
    });
}
