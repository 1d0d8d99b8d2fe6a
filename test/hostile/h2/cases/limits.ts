// Item 23: requests that are more than is accepted, and the few bytes that can stand for them. Whoever accepts a head accepts
// all of it; whoever refuses one keeps the table of fields right.
import assert from 'node:assert/strict';
import { continuation, data, END_STREAM, frame, HEADERS } from '../../../support/h2-frames.ts';
import {
  block,
  type FieldPair,
  headers,
  indexed,
  literal,
  requestFields,
  tableSize,
} from '../../../support/h2-headers.ts';
import { eosCode } from '../../../support/h2-huffman.ts';
import { ask, forwarded, goneWith, type H2Case, type H2Expectation, pseudo, refused } from '../h2-case.ts';

const BOMB = 'HTTP/2 Bomb: CVE-2026-49975, CVE-2026-47774';
const SIZES = 'RFC 9113 section 10.5.1; Node CVE-2026-58044';
const BLOCKS = 'CVE-2024-27983, CVE-2023-45288';
const TABLES = 'RFC 7541 sections 2.3.3, 4.2, 5.2 and 6.3';

const KIB = 1024;

const input = (name: string, source: string, send: Buffer, expect: H2Expectation): H2Case => ({
  item: 23,
  name,
  source,
  send,
  expect,
});

const fields = (count: number): FieldPair[] => Array.from({ length: count }, (_, i) => [`f${i}`, 'x']);

/** A field of 4 KiB goes into the table, and the request refers to it again and again: a byte each. */
const references = (count: number, name: string): Buffer =>
  headers(
    1,
    [...pseudo(), literal(name, 'x'.repeat(4_000), 'incremental'), Buffer.alloc(count, indexed(62))],
    END_STREAM,
  );

/** The request's fields and this, in one HEADERS and so many CONTINUATION. */
const continued = (count: number): Buffer => {
  const frames = Array.from({ length: count }, (_, i) => continuation(1, '', i === count - 1 ? 4 : 0));
  return Buffer.concat([frame(HEADERS, END_STREAM, 1, block(pseudo())), ...frames]);
};

/** Whoever passes a request on passes all of its fields on. */
const dropped =
  (count: number): NonNullable<H2Case['danger']> =>
  ({ requests }) => {
    const passed = requests[0]?.head.match(/\r\nf\d+:/gi)?.length ?? count;
    return passed < count ? `${count - passed} fields dropped silently` : null;
  };

const told: H2Expectation = forwarded('GET /', ({ requests }) => {
  for (const [name, value] of fields(95)) assert.deepEqual(requests[0]!.fields(name), [value]);
});

const sizes: readonly H2Case[] = [
  input('a :path of 8,000 bytes', SIZES, ask([], `/${'a'.repeat(7_999)}`), forwarded(`GET /${'a'.repeat(7_999)}`)),
  input('a :path of 8 KiB', SIZES, ask([], `/${'a'.repeat(8 * KIB)}`), refused(414)),
  input('a :method of 8 KiB', SIZES, ask([], '/', 'A'.repeat(8 * KIB)), refused(414)),
  input('a field of 32 KiB', SIZES, ask([['a', 'x'.repeat(32 * KIB)]]), refused(431)),
  { ...input('95 fields besides', SIZES, ask(fields(95)), told), danger: dropped(95) },
  { ...input('101 fields', SIZES, ask(fields(101)), refused(431)), danger: dropped(101) },
  { ...input('1,000 fields', SIZES, ask(fields(1_000)), refused(431)), danger: dropped(1_000) },
  input('10,000 fields', SIZES, headers(1, [...pseudo(), Buffer.alloc(10_000, indexed(16))], END_STREAM), refused(431)),
  input(
    '101 fields, the last of which says a length',
    SIZES,
    ask([...fields(100), ['content-length', '5']]),
    refused(431),
  ),
  input(
    '101 fields, the last of which is transfer-encoding',
    SIZES,
    ask([...fields(100), ['transfer-encoding', 'chunked']]),
    refused(431),
  ),
  input(
    'trailers of 8 KiB',
    SIZES,
    Buffer.concat([
      headers(1, requestFields('/', 'POST')),
      data(1, 'hello'),
      headers(1, [['a', 'x'.repeat(8 * KIB)]], END_STREAM),
    ]),
    { ...refused('PROTOCOL_ERROR'), begun: true },
  ),
  input(
    '51 trailers',
    SIZES,
    Buffer.concat([headers(1, requestFields('/', 'POST')), data(1, 'hello'), headers(1, fields(51), END_STREAM)]),
    { ...refused('PROTOCOL_ERROR'), begun: true },
  ),
];

const bombs: readonly H2Case[] = [
  input(
    '6 references to a field of 4 KiB',
    BOMB,
    references(6, 'a'),
    forwarded('GET /', ({ requests }) => assert.equal(requests[0]!.fields('a').length, 7)),
  ),
  input('10 references to a field of 4 KiB', BOMB, references(10, 'a'), refused(431)),
  input('10,000 references to a field of 4 KiB', BOMB, references(10_000, 'a'), refused(431)),
  input('10,000 references to a cookie of 4 KiB', BOMB, references(10_000, 'cookie'), refused(431)),
  input('10,000 references to a priority of 4 KiB', BOMB, references(10_000, 'priority'), refused(431)),
  input('10,000 references to an expectation of 4 KiB', BOMB, references(10_000, 'expect'), refused(431)),
  input(
    '10,000 references to a field that is not forwarded',
    BOMB,
    references(10_000, 'proxy-authorization'),
    refused(431),
  ),
  input(
    'a cookie in 700 crumbs',
    BOMB,
    headers(1, [...pseudo(), literal('cookie', 'a=b', 'incremental'), Buffer.alloc(699, indexed(62))], END_STREAM),
    forwarded('GET /', ({ requests }) => assert.equal(requests[0]!.fields('cookie').join().length, 700 * 5 - 2)),
  ),
  input(
    'a cookie in 10,000 empty crumbs',
    BOMB,
    headers(1, [...pseudo(), Buffer.alloc(10_000, indexed(32))], END_STREAM),
    refused(431),
  ),
  input(
    'a value that Huffman coding makes longer by half',
    BOMB,
    headers(1, [...pseudo(), literal('a', 'a'.repeat(40 * KIB), 'without', 'huffman')], END_STREAM),
    refused(431),
  ),
];

const blocks: readonly H2Case[] = [
  input(
    'a header block of 64 KiB and a little',
    BLOCKS,
    ask([['a', 'x'.repeat(64 * KIB)]]),
    goneWith('ENHANCE_YOUR_CALM'),
  ),
  input('a header block in 33 frames', BLOCKS, continued(32), forwarded()),
  input('a header block in 34 frames', BLOCKS, continued(33), goneWith('ENHANCE_YOUR_CALM')),
  input('index 0', TABLES, headers(1, [...pseudo(), Buffer.from([0x80])], END_STREAM), goneWith('COMPRESSION_ERROR')),
  input(
    'an index that no table has',
    TABLES,
    headers(1, [...pseudo(), indexed(99)], END_STREAM),
    goneWith('COMPRESSION_ERROR'),
  ),
  input('an index of 2 ** 40', TABLES, headers(1, [indexed(2 ** 40)], END_STREAM), goneWith('COMPRESSION_ERROR')),
  input(
    'an integer of 40 bytes',
    TABLES,
    headers(1, [Buffer.from([0xff, ...Array(38).fill(0x80), 0])], END_STREAM),
    goneWith('COMPRESSION_ERROR'),
  ),
  input(
    'a table of 1 GiB',
    TABLES,
    headers(1, [tableSize(2 ** 30), ...pseudo()], END_STREAM),
    goneWith('COMPRESSION_ERROR'),
  ),
  input(
    '100 sizes of the table',
    TABLES,
    headers(1, [Buffer.alloc(100, tableSize(0)), ...pseudo()], END_STREAM),
    goneWith('COMPRESSION_ERROR'),
  ),
  input(
    'a string longer than its block',
    TABLES,
    headers(1, [...pseudo(), Buffer.from([0, 0x7f, 0xff, 0xff, 0x7f])], END_STREAM),
    goneWith('COMPRESSION_ERROR'),
  ),
  input(
    'EOS in a string',
    TABLES,
    headers(1, [...pseudo(), Buffer.concat([Buffer.from([0, 0x84]), eosCode(), Buffer.from([0])])], END_STREAM),
    goneWith('COMPRESSION_ERROR'),
  ),
];

export const h2LimitCases: readonly H2Case[] = [...sizes, ...bombs, ...blocks];
