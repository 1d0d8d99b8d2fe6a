// Header blocks in and out of our HPACK codec, as lists of name and value, and arbitrary lists for the property tests.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HeaderList } from '../../src/http/header-list.ts';
import { ConnectionFault, ERROR_CODES } from '../../src/http2/fault.ts';
import type { Field } from '../../src/http2/field.ts';
import type { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { type HpackEncoder, roomFor } from '../../src/http2/hpack-encoder.ts';
import type { FieldPair } from './h2-headers.ts';

/** What stands around what is written: none of it may change. */
const GUARD = 0xaa;
const GUARD_BYTES = 64;

/** The block for these fields, written into no more room than roomFor says. */
export function encode(encoder: HpackEncoder, fields: readonly FieldPair[]): Buffer {
  return encodeList(encoder, new HeaderList(fields.flat()));
}

export function encodeList(encoder: HpackEncoder, headers: HeaderList): Buffer {
  const room = roomFor(headers);
  const out = Buffer.alloc(GUARD_BYTES + room + GUARD_BYTES, GUARD);
  const end = encoder.fields(out, encoder.begin(out, GUARD_BYTES), headers);
  const isWhole = (part: Buffer): boolean => part.every((byte) => byte === GUARD);
  assert.ok(isWhole(out.subarray(0, GUARD_BYTES)) && isWhole(out.subarray(GUARD_BYTES + room)), 'it kept to its room');
  return Buffer.from(out.subarray(GUARD_BYTES, end));
}

/** The same, one after the other by `field`. */
export function encodeSingly(encoder: HpackEncoder, fields: readonly FieldPair[]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [name, value]) => sum + name.length + value.length + 16, 16));
  let at = encoder.begin(out, 0);
  for (const [name, value] of fields) at = encoder.field(out, at, name, value);
  return out.subarray(0, at);
}

/** The fields of a block, as objects; it stands in the midst of other bytes. */
export function decodeFields(decoder: HpackDecoder, block: Buffer): Field[] {
  const fields: Field[] = [];
  const around = Buffer.concat([Buffer.alloc(5, GUARD), block, Buffer.alloc(5, GUARD)]);
  decoder.decode(around, 5, 5 + block.length, { onField: (field) => fields.push(field) });
  return fields;
}

export function decode(decoder: HpackDecoder, block: Buffer): FieldPair[] {
  return decodeFields(decoder, block).map(({ name, value }) => [name, value]);
}

/** Fails unless the block ends the connection with COMPRESSION_ERROR; returns why. */
export function refusal(decoder: HpackDecoder, block: Buffer): string {
  try {
    decode(decoder, block);
  } catch (error) {
    assert.ok(error instanceof ConnectionFault, String(error));
    assert.equal(error.errorCode, ERROR_CODES.COMPRESSION_ERROR);
    return error.message;
  }
  return assert.fail(`decoded: ${block.toString('hex')}`);
}

/** As HTTP/2 has them: names in lower case. */
export function lowered(fields: readonly FieldPair[]): FieldPair[] {
  return fields.map(([name, value]) => [name.toLowerCase(), value]);
}

/** Few names and values, so that many repeat; any bytes in values. */
const name = fc.oneof(
  fc.constantFrom('Server', 'server', 'Content-Type', 'content-type', 'CONTENT-TYPE', 'Date', 'ETag', 'Content-Length'),
  fc.constantFrom(
    'Cookie',
    'set-cookie',
    'Authorization',
    'X-Request-Id',
    'Accept-Encoding',
    'x-a',
    'X-A',
    'X-B',
    'Via',
  ),
  fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}$/),
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'gzip, deflate', 'text/html; charset=utf-8', 'Tue, 03 Nov 2026 10:11:12 GMT'),
  fc.stringMatching(/^[ -~]{0,60}$/),
  fc.stringMatching(/^[\x00-\xff]{0,40}$/),
  fc.tuple(fc.constantFrom('0', 'a', 'Z', '~', '\xff'), fc.nat(700)).map(([one, times]) => one.repeat(times)),
);

export const fieldPairs: fc.Arbitrary<FieldPair[]> = fc.array(fc.tuple(name, value), { maxLength: 12 });
