import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HeaderList } from '../../../src/http/header-list.ts';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack-encoder.ts';
import { type FieldPair, literal, tableSize } from '../../support/h2-headers.ts';
import { decode, decodeFields, encodeList } from '../../support/hpack-wire.ts';

const LIMIT = 4096;

const RESPONSE: readonly FieldPair[] = [
  ['Server', 'nginx'],
  ['Date', 'Tue, 03 Nov 2026 10:11:12 GMT'],
  ['Content-Type', 'text/html; charset=utf-8'],
  ['Content-Length', '612'],
  ['ETag', '"67ab1234-264"'],
  ['X-Something-New', 'yes'],
];

describe('the memory of both sides', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  /** Bytes of heap for each of `count` things that are kept. */
  function bytesEach(count: number, make: () => unknown): number {
    const kept: unknown[] = [make()];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < count; i++) kept.push(make());
    collect();
    return (process.memoryUsage().heapUsed - before) / count;
  }

  it('is free of what has left the table', async () => {
    const decoder = new HpackDecoder(LIMIT);
    const block = literal('name', 'value', 'incremental');
    const gone = new WeakRef(decodeFields(decoder, block)[0]!);
    decode(decoder, tableSize(0));
    // What a WeakRef was asked for stays until the turn is over.
    await setImmediate();
    collect();
    assert.equal(gone.deref(), undefined);
  });

  it('is small while they are idle', () => {
    const each = bytesEach(2_000, () => [new HpackEncoder(LIMIT), new HpackDecoder(LIMIT)]);
    assert.ok(each < 1_024, `${each}`);
  });

  it('is not that of the texts that fields came in', () => {
    const each = bytesEach(100, () => {
      const encoder = new HpackEncoder(LIMIT);
      for (let times = 0; times < 3; times++) {
        const names = [
          'x-in-lower-case-and-longer-than-most',
          'yes',
          'X-Not-In-Lower-Case',
          'a value that is long enough',
        ];
        const list = new HeaderList([...RESPONSE.flat(), ...names, 'Cookie', 'c'.repeat(100_000)]);
        encodeList(encoder, list);
      }
      return encoder;
    });
    assert.ok(each < 16_384, `${each}`);
  });
});
