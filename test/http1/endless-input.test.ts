import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asked, readRequests, readResponse } from '../support/wire.ts';

/** What is offered of each: far more than any limit. */
const OFFERED_BYTES = 4 * 1024 * 1024;
const KIB = 1024;

interface Endless {
  readonly what: string;
  readonly start: string;
  /** What follows it for ever. */
  readonly more: string;
  /** After how many bytes it is refused at the latest, however they come. */
  readonly limit: number;
}

/** `start` and then `more` in pieces of about `size` bytes; counts what is taken of it. */
function* endless({ start, more }: Endless, size: number, count: { taken: number }): Generator<string> {
  const piece = more.repeat(Math.ceil(size / more.length));
  for (let next = start; count.taken < OFFERED_BYTES; next = piece) {
    count.taken += next.length;
    yield next;
  }
}

function isRefused(one: Endless, read: (pieces: Iterable<string>) => { readonly outcome: string }): void {
  for (const size of [1, 7, 1000, 64 * KIB]) {
    const count = { taken: 0 };
    const { outcome } = read(endless(one, size, count));
    const piece = Math.ceil(size / one.more.length) * one.more.length;
    assert.equal(outcome, 'refused', `${one.what} by ${size}`);
    assert.ok(
      count.taken <= one.start.length + one.limit + piece,
      `${one.what} by ${size}: ${count.taken} bytes taken`,
    );
  }
}

const FIELDS_BYTES = 8 * KIB;
const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const endlessContent = (head: string): readonly Endless[] => [
  { what: 'chunk size', start: head, more: '0', limit: 16 },
  { what: 'chunk size behind chunks', start: `${head}1\r\nx\r\n`, more: 'f', limit: 16 },
  { what: 'chunk extension name', start: `${head}1;`, more: 'a', limit: 256 },
  { what: 'chunk extension value', start: `${head}1;a=`, more: 'a', limit: 256 },
  { what: 'chunk extension string', start: `${head}1;a="`, more: ' ', limit: 256 },
  { what: 'chunk extensions', start: `${head}1`, more: ';a=b', limit: 256 },
  { what: 'extensions of many chunks', start: head, more: `1;${'a'.repeat(100)}\r\nx\r\n`, limit: 18 * KIB },
  { what: 'short extensions of many chunks', start: head, more: '1;a\r\nx\r\n', limit: 128 * KIB },
  { what: 'trailer name', start: `${head}0\r\n`, more: 'a', limit: FIELDS_BYTES },
  { what: 'trailer value', start: `${head}0\r\nA: `, more: ' ', limit: FIELDS_BYTES },
  { what: 'trailers', start: `${head}0\r\n`, more: `A: ${'b'.repeat(200)}\r\n`, limit: FIELDS_BYTES },
  { what: 'empty trailers', start: `${head}0\r\n`, more: 'A:\r\n', limit: FIELDS_BYTES },
];

test('a request without end is refused at its limit, however it comes', () => {
  const all: readonly Endless[] = [
    { what: 'empty lines', start: '', more: '\r\n', limit: 4 },
    { what: 'method', start: '', more: 'A', limit: 8 * KIB },
    { what: 'target', start: 'GET /', more: 'a', limit: 8 * KIB },
    { what: 'spaces', start: 'GET /', more: ' ', limit: 8 * KIB },
    { what: 'version', start: 'GET / HTTP/1.1', more: '1', limit: 8 * KIB },
    { what: 'field name', start: HEAD, more: 'a', limit: 32 * KIB },
    { what: 'field value', start: `${HEAD}A: `, more: 'b', limit: 32 * KIB },
    { what: 'whitespace of a field', start: `${HEAD}A:`, more: ' \t', limit: 32 * KIB },
    { what: 'fields', start: HEAD, more: `A: ${'b'.repeat(1000)}\r\n`, limit: 32 * KIB },
    { what: 'empty fields', start: HEAD, more: 'A:\r\n', limit: 32 * KIB },
    { what: 'lines that are no fields', start: HEAD, more: 'A\r\n', limit: 32 * KIB },
    ...endlessContent(POST),
  ];
  for (const one of all) isRefused(one, readRequests);
});

test('a response without end is refused at its limit, however it comes', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  const interim = `HTTP/1.1 103 Early Hints\r\nLink: ${'a'.repeat(60 * KIB)}\r\n\r\n`;
  const all: readonly Endless[] = [
    { what: 'empty lines', start: '', more: '\r\n', limit: 16 },
    { what: 'version', start: 'HTTP/1.1', more: '1', limit: 8 * KIB },
    { what: 'status', start: 'HTTP/1.1 ', more: '2', limit: 8 * KIB },
    { what: 'reason', start: 'HTTP/1.1 200 ', more: 'x', limit: 64 * KIB },
    { what: 'field name', start: ok, more: 'a', limit: 64 * KIB },
    { what: 'field value', start: `${ok}A: `, more: 'b', limit: 64 * KIB },
    { what: 'fields', start: ok, more: `A: ${'b'.repeat(1000)}\r\n`, limit: 64 * KIB },
    { what: 'empty fields', start: ok, more: 'A:\r\n', limit: 64 * KIB },
    { what: '100s', start: '', more: 'HTTP/1.1 100 Continue\r\n\r\n', limit: 17 * 25 },
    { what: '102s', start: '', more: 'HTTP/1.1 102 Processing\r\n\r\n', limit: 17 * 27 },
    { what: 'long 103s', start: '', more: interim, limit: 17 * interim.length },
    ...endlessContent(`${ok}Transfer-Encoding: chunked\r\n\r\n`),
  ];
  const get: Asked = { method: 'GET', upgradeTo: null, ended: false };
  for (const one of all) isRefused(one, (pieces) => readResponse(pieces, get));
});
