// RFC 7541 appendix C: all of its examples.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack-encoder.ts';
import { writeInteger } from '../../../src/http2/hpack-integer.ts';
import { type FieldPair, indexed } from '../../support/h2-headers.ts';
import { decode, encode, encodeSingly, refusal } from '../../support/hpack-wire.ts';

interface Example {
  readonly block: string;
  readonly fields: readonly FieldPair[];
  /** What the dynamic table holds afterwards, the newest entry first, and its size. */
  readonly table: readonly FieldPair[];
  readonly tableBytes: number;
}

const FIRST_REQUEST: readonly FieldPair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const THIRD_REQUEST: readonly FieldPair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
];
const NO_CACHE: FieldPair = ['cache-control', 'no-cache'];
const AUTHORITY: FieldPair = [':authority', 'www.example.com'];
const REQUESTS = [
  { fields: FIRST_REQUEST, table: [AUTHORITY], tableBytes: 57 },
  { fields: [...FIRST_REQUEST, NO_CACHE], table: [NO_CACHE, AUTHORITY], tableBytes: 110 },
  { fields: THIRD_REQUEST, table: [['custom-key', 'custom-value'], NO_CACHE, AUTHORITY], tableBytes: 164 },
] as const;

const PRIVATE: FieldPair = ['cache-control', 'private'];
const DATE: FieldPair = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const NEXT_DATE: FieldPair = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const LOCATION: FieldPair = ['location', 'https://www.example.com'];
const GZIP: FieldPair = ['content-encoding', 'gzip'];
const COOKIE: FieldPair = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];
const RESPONSES = [
  {
    fields: [[':status', '302'], PRIVATE, DATE, LOCATION],
    table: [LOCATION, DATE, PRIVATE, [':status', '302']],
    tableBytes: 222,
  },
  {
    fields: [[':status', '307'], PRIVATE, DATE, LOCATION],
    table: [[':status', '307'], LOCATION, DATE, PRIVATE],
    tableBytes: 222,
  },
  {
    fields: [[':status', '200'], PRIVATE, NEXT_DATE, LOCATION, GZIP, COOKIE],
    table: [COOKIE, GZIP, NEXT_DATE],
    tableBytes: 215,
  },
] as const;

const blocks = (examples: readonly Omit<Example, 'block'>[], ...texts: string[]): Example[] =>
  examples.map((example, index) => ({ ...example, block: texts[index]! }));

const C3 = blocks(
  REQUESTS,
  '828684410f7777772e6578616d706c652e636f6d',
  '828684be58086e6f2d6361636865',
  '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
);
const C4 = blocks(
  REQUESTS,
  '828684418cf1e3c2e5f23a6ba0ab90f4ff',
  '828684be5886a8eb10649cbf',
  '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
);
const C5 = blocks(
  RESPONSES,
  '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
    '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
  '4803333037c1c0bf',
  '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b' +
    '425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
);
const C6 = blocks(
  RESPONSES,
  '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
  '4883640effc1c0bf',
  '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af2708' +
    '7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
);

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('the examples of RFC 7541 appendix C', () => {
  it('C.1: integers are written', () => {
    const out = Buffer.alloc(8);
    const written = (prefix: number, value: number): string =>
      out.toString('hex', 0, writeInteger(out, 0, 0, prefix, value));
    assert.equal(written(0x1f, 10), '0a');
    assert.equal(written(0x1f, 1337), '1f9a0a');
    assert.equal(written(0xff, 42), '2a');
  });

  it('C.1: integers are read', () => {
    decode(new HpackDecoder(10), hex('2a'));
    refusal(new HpackDecoder(9), hex('2a'));
    decode(new HpackDecoder(1337), hex('3f9a0a'));
    refusal(new HpackDecoder(1336), hex('3f9a0a'));
  });

  it('C.2: each representation is read', () => {
    const decoder = new HpackDecoder(4096);
    const custom: FieldPair = ['custom-key', 'custom-header'];
    assert.deepEqual(decode(decoder, hex('400a637573746f6d2d6b65790d637573746f6d2d686561646572')), [custom]);
    assert.deepEqual([decode(decoder, indexed(62)), decoder.tableBytes], [[custom], 55]);
    assert.deepEqual(decode(decoder, hex('040c2f73616d706c652f70617468')), [[':path', '/sample/path']]);
    assert.deepEqual(decode(decoder, hex('100870617373776f726406736563726574')), [['password', 'secret']]);
    assert.deepEqual(decode(decoder, hex('82')), [[':method', 'GET']]);
    assert.equal(decoder.tableBytes, 55);
  });

  const series: readonly (readonly [string, number, readonly Example[]])[] = [
    ['C.3: requests', 4096, C3],
    ['C.4: Huffman-coded requests', 4096, C4],
    ['C.5: responses', 256, C5],
    ['C.6: Huffman-coded responses', 256, C6],
  ];
  for (const [name, limit, examples] of series)
    it(`${name} are read, and leave the table behind that they should`, () => {
      const decoder = new HpackDecoder(limit);
      for (const { block, fields, table, tableBytes } of examples) {
        assert.deepEqual(decode(decoder, hex(block)), fields);
        assert.equal(decoder.tableBytes, tableBytes);
        assert.deepEqual(decode(decoder, Buffer.concat(table.map((_, age) => indexed(62 + age)))), table);
      }
      refusal(decoder, indexed(62 + examples.at(-1)!.table.length));
    });

  for (const [name, write] of [
    ['as a list', encode],
    ['one by one', encodeSingly],
  ] as const) {
    it(`C.4: Huffman-coded requests are written, ${name}`, () => {
      const encoder = new HpackEncoder(4096);
      for (const { block, fields } of C4) assert.equal(write(encoder, fields).toString('hex'), block);
    });

    it(`C.6: Huffman-coded responses are written, ${name}, but for Set-Cookie, which never enters our table`, () => {
      const encoder = new HpackEncoder(256);
      assert.equal(write(encoder, []).toString('hex'), '3fe101');
      assert.equal(write(encoder, C6[0]!.fields).toString('hex'), C6[0]!.block);
      // Where the code is no shorter, as for 307, ours leaves it.
      assert.equal(write(encoder, C6[1]!.fields).toString('hex'), C6[1]!.block.replace('83640eff', '03333037'));
      const { block, fields } = C6[2]!;
      assert.equal(write(encoder, fields.slice(0, -1)).toString('hex'), block.slice(0, block.indexOf('77ad')));
      assert.match(write(encoder, fields.slice(-1)).toString('hex'), /^1f28/);
    });
  }
});
