import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectionFault, ERROR_CODES } from '../../../src/http2/fault.ts';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack-encoder.ts';
import { HeaderDecoder } from '../../support/h2-header-decoder.ts';
import { type Coding, type FieldPair, type Indexing, indexed, literal, tableSize } from '../../support/h2-headers.ts';
import { decode, encode, encodeSingly, fieldPairs, lowered } from '../../support/hpack-wire.ts';
import { runs } from '../../support/property-runs.ts';

const LIMIT = 4096;

const pseudo = fc.constantFrom<FieldPair[]>(
  [],
  [[':status', '200']],
  [[':status', '299']],
  [
    [':method', 'GET'],
    [':path', '/index.html'],
  ],
  [
    [':scheme', 'https'],
    [':path', '/a?b=c'],
    [':authority', 'www.example.com'],
  ],
);

/** One block, or what the peer's SETTINGS say before the next one. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(pseudo, fieldPairs) },
  { weight: 1, arbitrary: fc.oneof(fc.constantFrom(0, 1, 64, 100, 200, 4_096, 65_536, 2 ** 32 - 1), fc.nat(5_000)) },
);

test('what is encoded is decoded, by us and by a plain decoder, whatever happens to the size of the table', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom(LIMIT, LIMIT, 0, 100, 65_536),
      fc.boolean(),
      (steps, most, isTwice) => {
        const encoder = new HpackEncoder(most);
        const decoder = new HpackDecoder(Math.max(most, LIMIT));
        const plain = new HeaderDecoder();
        for (const one of isTwice ? [...steps, ...steps] : steps) {
          if (typeof one === 'number') {
            encoder.resize(one);
            plain.limit(one);
            continue;
          }
          const [first, fields] = one;
          const wanted = [...first, ...lowered(fields)];
          const block = Buffer.concat([encodeSingly(encoder, first), encode(encoder, fields)]);
          assert.deepEqual(decode(decoder, block), wanted);
          assert.deepEqual(plain.decode(block), wanted);
          assert.ok(decoder.tableBytes <= Math.max(most, LIMIT));
        }
      },
    ),
    runs(1_500),
  );
});

/** The fields, or why they were refused; fails when that was not as it should be. */
function decoded(decoder: HpackDecoder, block: Buffer): readonly FieldPair[] | string {
  try {
    return decode(decoder, block);
  } catch (error) {
    assert.ok(error instanceof ConnectionFault && error.errorCode === ERROR_CODES.COMPRESSION_ERROR, String(error));
    return error.message;
  }
}

function plainlyDecoded(decoder: HeaderDecoder, block: Buffer): readonly FieldPair[] | null {
  try {
    return decoder.decode(block);
  } catch {
    return null;
  }
}

test('any block that follows the RFC is decoded as by a plain decoder, and the table is never too large', () => {
  const text = fc.oneof(fc.constantFrom('', 'a', 'name'), fc.stringMatching(/^[\x00-\xff]{0,50}$/));
  const name = fc.oneof<fc.Arbitrary<string | number>[]>(text, fc.integer({ min: 1, max: 66 }));
  const how = fc.constantFrom<Indexing>('without', 'incremental', 'incremental', 'never');
  const coding = fc.constantFrom<Coding>('plain', 'huffman');
  const part = fc.oneof(
    fc.integer({ min: 1, max: 66 }).map(indexed),
    fc.tuple(name, text, how, coding).map((parts) => literal(...parts)),
  );
  const update = fc.option(fc.integer({ min: 0, max: 500 }), { nil: null });
  const block = fc.tuple(update, fc.array(part, { maxLength: 15 }));
  fc.assert(
    fc.property(fc.array(block, { maxLength: 10 }), (blocks) => {
      const decoder = new HpackDecoder(500);
      const plain = new HeaderDecoder();
      plain.decode(tableSize(500));
      let limit = 500;
      for (const [size, parts] of blocks) {
        limit = size ?? limit;
        const start = size === null ? Buffer.alloc(0) : tableSize(size);
        assert.deepEqual(decode(decoder, start), plain.decode(start));
        for (const bytes of parts) {
          const theirs = plainlyDecoded(plain, bytes);
          const ours = decoded(decoder, bytes);
          if (theirs === null) assert.match(String(ours), /no table has/);
          else assert.deepEqual(ours, theirs);
          assert.ok(decoder.tableBytes <= limit);
          if (theirs === null) return;
        }
      }
    }),
    runs(3_000),
  );
});

test('random bytes and mutated blocks are decoded as by a plain decoder, or end the connection with COMPRESSION_ERROR', () => {
  const valid = fieldPairs.map((fields) => encode(new HpackEncoder(LIMIT), fields));
  const mutated = fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'flip', 'drop', 'add')), { maxLength: 4 }),
    )
    .map(([bytes, changes]) => {
      const changed = [...bytes];
      for (const [where, what, how] of changes) {
        const at = where % (changed.length + 1);
        if (how === 'set') changed[at] = what;
        else if (how === 'flip') changed[at] = (changed[at] ?? 0) ^ (1 << (what & 7));
        else changed.splice(at, how === 'drop' ? 1 : 0, ...(how === 'drop' ? [] : [what]));
      }
      return Uint8Array.from(changed);
    });
  const blocks = fc.array(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(blocks, (list) => {
      const decoder = new HpackDecoder(LIMIT);
      const plain = new HeaderDecoder();
      for (const bytes of list) {
        const block = Buffer.from(bytes);
        const ours = decoded(decoder, block);
        assert.ok(decoder.tableBytes <= LIMIT);
        // The plain one has no such limits.
        if (typeof ours === 'string' && /more than 2 table|too long/.test(ours)) return;
        const theirs = plainlyDecoded(plain, block);
        if (theirs === null) assert.equal(typeof ours, 'string');
        else assert.deepEqual(ours, theirs);
        if (theirs === null) return;
      }
    }),
    runs(6_000),
  );
});
