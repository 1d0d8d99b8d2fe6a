import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { bytes } from '../../support/h2-frames.ts';
import { type FieldPair, indexed, literal, tableSize } from '../../support/h2-headers.ts';
import { eosCode } from '../../support/h2-huffman.ts';
import { decode, decodeFields, refusal } from '../../support/hpack-wire.ts';

const LIMIT = 4096;
const fresh = (): HpackDecoder => new HpackDecoder(LIMIT);
const whole = (parts: readonly (Buffer | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => bytes(part)));
const read = (...parts: readonly (Buffer | readonly number[])[]): FieldPair[] => decode(fresh(), whole(parts));
const refused = (...parts: readonly (Buffer | readonly number[])[]): string => refusal(fresh(), whole(parts));

/** A field that counts for so many bytes, 34 at least, and the block that puts it into the table. */
const sized = (size: number): FieldPair => ['n', 'v'.repeat(size - 33)];
const insert = (size: number): Buffer => literal(...sized(size), 'incremental');

describe('a header block', () => {
  it('may be empty', () => assert.deepEqual(read(), []));

  it('may hold empty names and values, and any byte', () => {
    const any = Buffer.from(Array.from({ length: 256 }, (_, code) => code)).toString('latin1');
    for (const coding of ['plain', 'huffman'] as const) {
      assert.deepEqual(read(literal('', '', 'incremental', coding)), [['', '']]);
      assert.deepEqual(read(literal(any, any, 'never', coding)), [[any, any]]);
    }
  });

  it('names no index but those of the tables', () => {
    assert.match(refused([0x80]), /index 0,/);
    assert.match(refused(indexed(62)), /index 62,/);
    assert.match(refused(literal('a', 'b', 'incremental'), indexed(63)), /index 63,/);
    for (const how of ['without', 'incremental', 'never'] as const)
      assert.match(refused(literal(62, 'b', how)), /index 62,/);
    assert.match(refused(indexed(2 ** 32)), /index 4294967296,/);
  });

  it('holds integers of no more than five bytes after the first', () => {
    assert.deepEqual(read([0x3f, 0x80, 0x80, 0x80, 0x80, 0x00]), []);
    assert.match(refused([0x3f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), /too long/);
    assert.match(refused([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]), /too long/);
    assert.match(refused([0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), /too long/);
    assert.match(refused([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), /index/);
  });

  it('holds no string that is longer than what is left of it', () => {
    assert.match(refused([0x40, 0x01]), /ends inside/);
    assert.match(refused([0x40, 0x02], bytes('a')), /ends inside/);
    assert.match(refused([0x40, 0x01], bytes('a'), [0x03], bytes('bc')), /ends inside/);
    assert.match(refused([0x40, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x0f], bytes('a'.repeat(200))), /ends inside/);
  });

  it('is refused wherever it is cut inside a field', () => {
    const parts = [
      tableSize(300),
      indexed(2),
      literal(58, 'agent', 'incremental', 'huffman'),
      literal('name', 'v'.repeat(300), 'without'),
      literal('secret', '\xff'.repeat(100), 'never', 'huffman'),
      indexed(62),
    ];
    const ends = parts.map((_, index) => whole(parts.slice(0, index + 1)).length);
    const block = whole(parts);
    const fields = decode(fresh(), block);
    for (let end = 1; end <= block.length; end++) {
      const cut = block.subarray(0, end);
      if (ends.includes(end)) assert.deepEqual(decode(fresh(), cut), fields.slice(0, ends.indexOf(end)));
      else assert.match(refusal(fresh(), cut), /ends inside/);
    }
  });

  it('holds no string with EOS or with other padding than ones, as a name or a value', () => {
    const huffman = (coded: Buffer): Buffer => Buffer.concat([Buffer.from([0x80 | coded.length]), coded]);
    for (const bad of [eosCode(), Buffer.from([0x1e]), Buffer.from([0x1f, 0xff])]) {
      assert.match(refused([0x00], huffman(bad), [0x00]), /Huffman/);
      assert.match(refused([0x44], huffman(bad)), /Huffman/);
    }
  });
});

describe('a table size update', () => {
  it('is at most what we allow', () => {
    read(tableSize(LIMIT));
    assert.match(refused(tableSize(LIMIT + 1)), /4097/);
    assert.match(refused([0x3f, 0xff, 0xff, 0xff, 0xff, 0x7f]), /more than 4096/);
    assert.match(refusal(new HpackDecoder(0), tableSize(1)), /more than 0/);
  });

  it('is at the start of a block, twice at most', () => {
    assert.deepEqual(read(tableSize(0), tableSize(LIMIT), indexed(2)), [[':method', 'GET']]);
    assert.match(refused(tableSize(0), tableSize(1), tableSize(2)), /more than 2/);
    assert.match(refused(indexed(2), tableSize(LIMIT)), /after a field/);
    assert.match(refused(tableSize(1), literal('a', 'b'), tableSize(1)), /after a field/);
  });

  it('drops entries that are too much, and does not bring them back', () => {
    const decoder = fresh();
    decode(decoder, whole([insert(40), insert(50), insert(60)]));
    assert.equal(decoder.tableBytes, 150);
    decode(decoder, tableSize(149));
    assert.equal(decoder.tableBytes, 110);
    decode(decoder, whole([tableSize(60), tableSize(LIMIT)]));
    assert.deepEqual([decode(decoder, indexed(62)), decoder.tableBytes], [[sized(60)], 60]);
    assert.match(refusal(decoder, indexed(63)), /index 63/);
  });

  it('stays in force in later blocks', () => {
    const decoder = fresh();
    decode(decoder, tableSize(100));
    decode(decoder, whole([insert(60), insert(50)]));
    assert.equal(decoder.tableBytes, 50);
    decode(decoder, insert(50));
    assert.equal(decoder.tableBytes, 100);
  });
});

describe('the table', () => {
  it('drops its oldest entries for a new one, and no more than it must', () => {
    const decoder = new HpackDecoder(200);
    decode(decoder, whole([insert(50), insert(60), insert(70)]));
    assert.equal(decoder.tableBytes, 180);
    decode(decoder, insert(80));
    assert.deepEqual(decode(decoder, whole([indexed(62), indexed(63)])), [sized(80), sized(70)]);
    assert.equal(decoder.tableBytes, 150);
  });

  it('is emptied by an entry that is larger than itself, which is a field all the same', () => {
    const decoder = new HpackDecoder(100);
    decode(decoder, insert(60));
    assert.deepEqual(decode(decoder, insert(101)), [sized(101)]);
    assert.equal(decoder.tableBytes, 0);
    decode(decoder, insert(100));
    assert.equal(decoder.tableBytes, 100);
  });

  it('lends a name to the entry for which the name itself has to go', () => {
    const decoder = new HpackDecoder(100);
    decode(decoder, literal('name', 'v'.repeat(60), 'incremental'));
    const fields = decode(decoder, whole([literal(62, 'w'.repeat(60), 'incremental'), indexed(62)]));
    assert.deepEqual(fields, [
      ['name', 'w'.repeat(60)],
      ['name', 'w'.repeat(60)],
    ]);
    assert.deepEqual(decode(decoder, literal(62, 'x'.repeat(70), 'incremental')), [['name', 'x'.repeat(70)]]);
    assert.equal(decoder.tableBytes, 0);
  });

  it('never takes in what is not to be indexed, and such fields are marked if never', () => {
    const decoder = fresh();
    const block = whole([literal('a', '1', 'without'), literal('b', '2', 'never'), literal('c', '3', 'incremental')]);
    const fields = decodeFields(decoder, block);
    assert.deepEqual(
      fields.map(({ name, isNeverIndexed }) => [name, isNeverIndexed]),
      [
        ['a', false],
        ['b', true],
        ['c', false],
      ],
    );
    assert.deepEqual(decode(decoder, indexed(62)), [['c', '3']]);
    assert.match(refusal(decoder, indexed(63)), /index 63/);
  });

  it('hands on its own objects, of all connections those of the static table', () => {
    const [one, other] = [fresh(), fresh()];
    const [inserted] = decodeFields(one, insert(40));
    assert.equal(decodeFields(one, indexed(62))[0], inserted);
    assert.equal(decodeFields(one, indexed(2))[0], decodeFields(other, indexed(2))[0]);
  });

  it('holds a thousand times more than its size, one after the other', () => {
    const decoder = new HpackDecoder(LIMIT);
    for (let round = 0; round < 1_000; round++) {
      decode(decoder, whole([insert(34 + (round % 97)), literal('name', String(round), 'incremental')]));
      assert.ok(decoder.tableBytes <= LIMIT);
      assert.deepEqual(decode(decoder, indexed(62)), [['name', String(round)]]);
      if (round > 200) assert.ok(decoder.tableBytes > LIMIT - 131);
    }
  });
});

describe('a field', () => {
  it('is written as a line of a list, the first time and later', () => {
    const [field] = decodeFields(fresh(), literal('content-type', 'text/plain', 'incremental'));
    for (let times = 0; times < 3; times++) assert.equal(field!.line, 'content-type: text/plain\r\n');
    assert.equal(field!.size, 12 + 10 + 32);
  });
});
