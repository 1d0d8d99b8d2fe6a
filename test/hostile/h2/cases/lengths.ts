// Item 23: content-length and what comes as DATA. Neither a length nor content that another reader would take for the next
// request may reach an origin.
import assert from 'node:assert/strict';
import { data, END_STREAM } from '../../../support/h2-frames.ts';
import { type FieldPair, headers, requestFields } from '../../../support/h2-headers.ts';
import { SMUGGLED, show } from '../../hostile-case.ts';
import { forwarded, type H2Case, type H2Expectation, refused } from '../h2-case.ts';

const RULE = 'RFC 9113 section 8.1.1; CVE-2021-21295';
const GRAMMAR = 'RFC 9110 section 8.6; HAProxy CVE-2021-40346';

const MALFORMED: H2Expectation = { ...refused('PROTOCOL_ERROR'), begun: true };

const post = (more: readonly FieldPair[], ...pieces: readonly Buffer[]): Buffer =>
  Buffer.concat([headers(1, requestFields('/', 'POST', more)), ...pieces]);

const input = (name: string, send: Buffer, expect: H2Expectation = MALFORMED, source = RULE): H2Case => ({
  item: 23,
  name,
  source,
  send,
  expect,
});

const length = (value: string): FieldPair => ['content-length', value];

/** What the origin reads. */
const reads = (body: string): H2Expectation =>
  forwarded('POST /', ({ requests }) => {
    assert.equal(requests[0]!.body, body);
    const framing = [...requests[0]!.fields('content-length'), ...requests[0]!.fields('transfer-encoding')];
    assert.deepEqual(framing, [/^\d+$/.test(framing[0] ?? '') ? `${body.length}` : 'chunked']);
  });

export const lengthCases: readonly H2Case[] = [
  input('less content than declared', post([length('10')], data(1, 'hello', END_STREAM))),
  input('more content than declared', post([length('3')], data(1, 'hello', END_STREAM))),
  input(
    'more content than declared, in a second frame',
    post([length('5')], data(1, 'hello'), data(1, '!', END_STREAM)),
  ),
  input('content where 0 is declared', post([length('0')], data(1, 'hello', END_STREAM))),
  input('a request in the content that 0 is declared for', post([length('0')], data(1, SMUGGLED, END_STREAM))),
  input('a request behind the content declared', post([length('5')], data(1, `hello${SMUGGLED}`, END_STREAM))),
  input('a length, and the end with the head', headers(1, requestFields('/', 'POST', [length('5')]), END_STREAM)),
  input(
    'less content than declared, and trailers',
    post([length('10')], data(1, 'hello'), headers(1, [['sum', '7']], END_STREAM)),
  ),
  input('two lengths', post([length('5'), length('6')], data(1, 'hello', END_STREAM)), undefined, GRAMMAR),
  input('two equal lengths', post([length('5'), length('5')], data(1, 'hello', END_STREAM)), undefined, GRAMMAR),
  ...['+5', '-5', '5 ', '0x5', '5,5', '5, 5', '5.0', '', 'five', '18446744073709551621', '5\0'].map((value) =>
    input(
      `content-length: ${show(value) || 'empty'}`,
      post([length(value)], data(1, 'hello', END_STREAM)),
      undefined,
      GRAMMAR,
    ),
  ),
  input('as much as declared', post([length('5')], data(1, 'he'), data(1, 'llo', END_STREAM)), reads('hello')),
  input('no length', post([], data(1, 'hello', END_STREAM)), reads('hello')),
  input(
    'content that looks like chunks',
    post([], data(1, `0\r\n\r\n${SMUGGLED}`, END_STREAM)),
    reads(`0\r\n\r\n${SMUGGLED}`),
  ),
  input(
    'content that looks like chunks, in single bytes',
    post([], ...[...'0\r\n\r\nGET /smuggled'].map((byte) => data(1, byte)), data(1, '', END_STREAM)),
    reads('0\r\n\r\nGET /smuggled'),
  ),
  input(
    'a GET with content',
    Buffer.concat([headers(1, requestFields()), data(1, SMUGGLED, END_STREAM)]),
    forwarded('GET /', ({ requests }) => assert.equal(requests[0]!.body, SMUGGLED)),
  ),
  input('an end and nothing else', post([], data(1, '', END_STREAM)), forwarded('POST /')),
];
