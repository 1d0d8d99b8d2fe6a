import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderList } from '../../../src/http/header-list.ts';
import type { OutgoingRequest } from '../../../src/http/outgoing-request.ts';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { HpackEncoder, roomFor } from '../../../src/http2/hpack-encoder.ts';
import { REQUEST_LIMITS } from '../../../src/http2/limits.ts';
import { MessageFields } from '../../../src/http2/message-fields.ts';
import { readRequest } from '../../../src/http2/request-fields.ts';
import { requestList } from '../../../src/http2/request-list.ts';
import { type FieldPair, literal } from '../../support/h2-headers.ts';
import { decode, decodeFields, encode, encodeList, encodeSingly } from '../../support/hpack-wire.ts';

const LIMIT = 4096;
const hex = (block: Buffer): string => block.toString('hex');

const RESPONSE: readonly FieldPair[] = [
  ['Server', 'nginx'],
  ['Date', 'Tue, 03 Nov 2026 10:11:12 GMT'],
  ['Content-Type', 'text/html; charset=utf-8'],
  ['Content-Length', '612'],
  ['ETag', '"67ab1234-264"'],
  ['X-Something-New', 'yes'],
];

describe('a list that is written again', () => {
  it('takes one byte for each field, however it is given and however its names are written', () => {
    const encoder = new HpackEncoder(LIMIT);
    const upper = RESPONSE.map(([name, value]): FieldPair => [name.toUpperCase(), value]);
    const lower = RESPONSE.map(([name, value]): FieldPair => [name.toLowerCase(), value]);
    encode(encoder, RESPONSE);
    for (const list of [RESPONSE, upper, lower, RESPONSE, RESPONSE]) {
      const block = encode(encoder, list);
      assert.deepEqual(hex(block), hex(encodeSingly(encoder, lower)));
      assert.equal(block.length, list.length);
    }
    assert.equal(encode(encoder, RESPONSE.toReversed()).length, RESPONSE.length);
  });

  it('takes one byte for each field when some of it were removed, or stand elsewhere', () => {
    const encoder = new HpackEncoder(LIMIT);
    const decoder = new HpackDecoder(LIMIT);
    decode(decoder, encode(encoder, RESPONSE));
    for (const gone of RESPONSE.keys()) {
      const list = new HeaderList(RESPONSE.flat());
      const wanted = RESPONSE.toSpliced(gone, 1).map(([name, value]) => [name.toLowerCase(), value]);
      list.remove(RESPONSE[gone]![0].toLowerCase());
      const block = encodeList(encoder, list);
      assert.deepEqual([decode(decoder, block), block.length], [wanted, wanted.length]);
    }
  });

  it('is found among several values of a name', () => {
    const encoder = new HpackEncoder(LIMIT);
    const types = ['text/html', 'text/css', 'text/javascript', 'image/png', 'image/svg+xml', 'font/woff2'];
    for (const type of types) encode(encoder, [['Content-Type', type]]);
    for (let round = 0; round < 3; round++)
      for (const type of types) assert.equal(encode(encoder, [['Content-Type', type]]).length, 1, type);
  });
});

describe('a secret field', () => {
  const secrets = ['Authorization', 'cookie', 'Set-Cookie', 'PROXY-AUTHORIZATION'];

  it('is never put into a table and says so each time', () => {
    const encoder = new HpackEncoder(LIMIT);
    const decoder = new HpackDecoder(LIMIT);
    for (const name of secrets)
      for (const value of ['s3cret', 's3cret', 'x'.repeat(200)])
        for (const write of [encode, encodeSingly]) {
          const block = write(encoder, [[write === encode ? name : name.toLowerCase(), value]]);
          assert.equal(block[0]! >> 4, 1, hex(block));
          const [field] = decodeFields(decoder, block);
          assert.deepEqual([field!.value, field!.isNeverIndexed], [value, true]);
        }
    assert.equal(decoder.tableBytes, 0);
  });

  it('has the index of its name', () => {
    const encoder = new HpackEncoder(LIMIT);
    const starts = secrets.map((name) => hex(encode(encoder, [[name, 'a']])));
    assert.deepEqual(starts, ['1f080161', '1f110161', '1f280161', '1f220161']);
  });
});

describe('a field that its sender wants in no table', () => {
  const first: readonly FieldPair[] = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'www.example.com'],
  ];
  const request = [
    ...first.map(([name, value]) => literal(name, value, 'incremental')),
    literal(':path', '/secret', 'never'),
    literal('x-token', 'abc', 'never'),
    literal('X-Plain'.toLowerCase(), 'abc', 'incremental'),
  ];

  it('is passed on as one', () => {
    const fields = new MessageFields(REQUEST_LIMITS, true);
    const incoming = Buffer.concat(request);
    new HpackDecoder(LIMIT).decode(incoming, 0, incoming.length, fields);
    const { headers } = readRequest(fields, 'https', true, null).head;
    headers.append('X-Forwarded-Proto', 'https');
    const outgoing = { method: 'GET', target: '/secret', headers, length: 0, upgradeTo: null, acceptsTrailers: false };
    const list = requestList(outgoing as OutgoingRequest, 'http');
    const decoder = new HpackDecoder(LIMIT);
    const encoder = new HpackEncoder(LIMIT);
    for (let times = 0; times < 3; times++) {
      const out = Buffer.alloc(1_000);
      let end = encoder.begin(out, 0);
      for (let i = 0; i < list.pseudo.length; i += 2) {
        const name = list.pseudo[i]!;
        end = encoder.field(out, end, name, list.pseudo[i + 1]!, list.headers.neverIndexed?.has(name));
      }
      end = encoder.fields(out, end, list.headers);
      const fields = decodeFields(decoder, out.subarray(0, end));
      const never = fields.filter(({ isNeverIndexed }) => isNeverIndexed).map(({ name, value }) => [name, value]);
      assert.deepEqual(never, [
        [':path', '/secret'],
        ['x-token', 'abc'],
      ]);
      assert.equal(fields.length, 7);
    }
  });
});

describe('the encoder', () => {
  const other: FieldPair = ['X-Other', 'kept'];

  it('gives up on names whose values never come again', () => {
    const encoder = new HpackEncoder(LIMIT);
    const decoder = new HpackDecoder(LIMIT);
    decode(decoder, encode(encoder, [other]));
    for (let i = 0; i < 2_000; i++)
      decode(
        decoder,
        encode(encoder, [
          ['ETag', `"${i}"`],
          ['X-Trace', `trace-${i}`],
          ['X-Request-Id', `request-${i}`],
        ]),
      );
    assert.equal(encode(encoder, [other]).length, 1);
    assert.ok(decoder.tableBytes < LIMIT / 4, `${decoder.tableBytes}`);
  });

  it('refers to a name of the table when its value is new', () => {
    const encoder = new HpackEncoder(LIMIT);
    encode(encoder, [['X-Request-Id', 'one']]);
    assert.equal(hex(encode(encoder, [['X-Request-Id', 'two']])), '0f2f0374776f');
  });

  it('does not give up on names whose values come again, however many there were', () => {
    const encoder = new HpackEncoder(LIMIT);
    const decoder = new HpackDecoder(LIMIT);
    for (let i = 0; i < 500; i++) {
      const fields: FieldPair[] = [['content-type', `application/x-${i}`]];
      assert.deepEqual(decode(decoder, encode(encoder, fields)), fields);
      assert.equal(encode(encoder, fields).length, 1);
    }
  });

  it('lets no field take more than half of the table', () => {
    const encoder = new HpackEncoder(LIMIT);
    const decoder = new HpackDecoder(LIMIT);
    for (const length of [2_000, 2_020, 3_000, 4_030]) {
      const policy: FieldPair = ['content-security-policy', 'p'.repeat(length)];
      for (let times = 0; times < 2; times++)
        assert.deepEqual(decode(decoder, encode(encoder, [other, policy])), [['x-other', 'kept'], policy]);
      assert.ok(decoder.tableBytes < LIMIT / 2 + 100, `${decoder.tableBytes}`);
    }
    assert.equal(encode(encoder, [other]).length, 1);
  });

  it('Huffman-codes very long values even if they do not enter the table, unless that makes them longer', () => {
    const encoder = new HpackEncoder(LIMIT);
    const size = (value: string): number => encode(encoder, [['set-cookie', value]]).length;
    assert.equal(size('a'.repeat(1_000)), 2 + 3 + 625);
    assert.equal(size('\xff'.repeat(1_000)), 2 + 3 + 1_000);
  });

  it('writes any value, a long one too, in the room that it asks for', () => {
    for (const length of [0, 1, 126, 127, 128, 254, 255, 256, 16_383, 16_384, 16_510, 16_512, 40_000])
      for (const character of ['0', 'a', 'X', '\\', '\xff'])
        for (const name of ['cookie', 'x-a', 'etag', 'server']) {
          const value = character.repeat(length);
          const decoder = new HpackDecoder(LIMIT);
          assert.deepEqual(decode(decoder, encode(new HpackEncoder(LIMIT), [[name, value]])), [[name, value]]);
        }
  });

  it('has room for fields that no coding makes shorter', () => {
    const fields = Array.from({ length: 100 }, (_, i): FieldPair => [`^~|${i}`, '\xff'.repeat(i % 3)]);
    const encoder = new HpackEncoder(LIMIT);
    for (const bytes of [0, 2 ** 32 - 1]) encoder.resize(bytes);
    assert.deepEqual(decode(new HpackDecoder(LIMIT), encode(encoder, fields)), fields);
  });

  it('asks for room by the fields that are left of a list', () => {
    const list = new HeaderList(['a', 'b', 'long', 'x'.repeat(10_000)]);
    assert.ok(roomFor(list) > 10_000);
    list.remove('long');
    assert.ok(roomFor(list) < 50);
  });
});

describe('a change of the table size', () => {
  const begin = (encoder: HpackEncoder): string => hex(encode(encoder, []));

  it('is said once, before the next block', () => {
    const encoder = new HpackEncoder(LIMIT);
    assert.equal(begin(encoder), '');
    encoder.resize(100);
    assert.deepEqual([begin(encoder), begin(encoder)], ['3f45', '']);
    encoder.resize(LIMIT);
    assert.deepEqual([begin(encoder), begin(encoder)], ['3fe11f', '']);
  });

  it('is said with the smallest size that was between two blocks', () => {
    const encoder = new HpackEncoder(LIMIT);
    for (const bytes of [1_000, 0, 30, 100]) encoder.resize(bytes);
    assert.equal(begin(encoder), '203f45');
    for (const bytes of [0, 100]) encoder.resize(bytes);
    assert.equal(begin(encoder), '203f45');
    for (const bytes of [200, 100]) encoder.resize(bytes);
    assert.equal(begin(encoder), '');
  });

  it('is none when the peer offers more than is used', () => {
    const encoder = new HpackEncoder(LIMIT);
    for (const bytes of [2 ** 32 - 1, LIMIT, 65_536]) {
      encoder.resize(bytes);
      assert.equal(begin(encoder), '');
    }
  });

  it('is said at once when less is used than a peer expects, and later when more', () => {
    assert.equal(begin(new HpackEncoder(0)), '20');
    assert.equal(begin(new HpackEncoder(65_536)), '');
    const encoder = new HpackEncoder(65_536);
    encoder.resize(10_000);
    assert.equal(begin(encoder), '3ff14d');
  });

  it('empties the table, and what was there is written anew', () => {
    const encoder = new HpackEncoder(LIMIT);
    const decoder = new HpackDecoder(LIMIT);
    const wanted = RESPONSE.map(([name, value]) => [name.toLowerCase(), value]);
    for (const bytes of [LIMIT, 0, LIMIT, 150, 0, 4_000]) {
      encoder.resize(bytes);
      for (let times = 0; times < 3; times++) assert.deepEqual(decode(decoder, encode(encoder, RESPONSE)), wanted);
      assert.ok(decoder.tableBytes <= bytes);
    }
  });
});
