// Items 18, 23 and 24: names and values that HTTP/1.1 would read as something else, and fields that belong to a connection.
import assert from 'node:assert/strict';
import type { FieldPair } from '../../../support/h2-headers.ts';
import { show } from '../../hostile-case.ts';
import { ask, forwarded, type H2Case, type H2Expectation, refused } from '../h2-case.ts';
import { INJECTED } from '../h2-dangers.ts';

const NAME = 'RFC 9113 section 8.2.1';
const HOP = 'RFC 9113 section 8.2.2; nginx 1.31.0';
const HOLE = `x\r\n${INJECTED}: yes`;
const SECOND = 'x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n';

const MALFORMED = refused('PROTOCOL_ERROR');

const field = (item: number, pair: FieldPair, source: string, expect: H2Expectation, name?: string): H2Case => ({
  item,
  name: name ?? show(`${pair[0]}: ${pair[1]}`),
  source,
  send: ask([pair]),
  expect,
});

/** Which of these names the origin got. */
const got = (...names: readonly string[]): NonNullable<H2Case['danger']> => {
  return ({ requests }) => {
    const leaked = names.filter((name) => (requests[0]?.fields(name).length ?? 0) > 0);
    return leaked.length === 0 ? null : `${leaked.join(', ')} passed on`;
  };
};

const names: readonly H2Case[] = [
  field(23, ['Upper', 'x'], NAME, MALFORMED),
  field(23, ['x-uppeR', 'x'], NAME, MALFORMED),
  field(24, ['', 'x'], `${NAME}; HAProxy CVE-2023-25725`, MALFORMED, 'an empty name'),
  ...['a b', ' a', 'a ', 'a\t', 'a:', 'a\0', 'a\x7f', 'a\xe9', '(a)', 'a\n', 'a\r\n'].map((name) =>
    field(24, [name, 'x'], NAME, MALFORMED, `the name "${show(name)}"`),
  ),
  field(24, [`x: y\r\n${INJECTED}`, 'yes'], NAME, MALFORMED, 'a field inside of a name'),
  field(24, [`${INJECTED.toLowerCase()}: yes\r\nx`, 'y'], NAME, MALFORMED, 'a field at the beginning of a name'),
  field(24, ['transfer-encoding: chunked\r\nx', 'y'], NAME, MALFORMED, 'a framing field in a name'),
];

const values: readonly H2Case[] = [
  ...['x\r\ny', 'x\ny', 'x\ry', '\n', 'x\0y', '\0', ' x', 'x ', '\tx', 'x\t', 'x\x01y', 'x\x7fy'].map((value) =>
    field(23, ['a', value], NAME, MALFORMED, `the value "${show(value)}"`),
  ),
  field(23, ['a', HOLE], NAME, MALFORMED, 'a field inside of a value'),
  field(23, ['a', SECOND], NAME, MALFORMED, 'a request inside of a value'),
  field(23, ['cookie', HOLE], NAME, MALFORMED, 'a field inside of a cookie'),
  field(23, ['priority', HOLE], NAME, MALFORMED, 'a field inside of a priority'),
  field(23, ['te', HOLE], NAME, MALFORMED, 'a field inside of TE'),
  field(23, ['host', `app.localhost\r\n${INJECTED}: yes`], NAME, MALFORMED, 'a field inside of host'),
  field(23, ['content-length', `0\r\n${INJECTED}: yes`], NAME, MALFORMED, 'a field inside of a length'),
  field(23, ['expect', `100-continue\r\n${INJECTED}: yes`], NAME, MALFORMED, 'a field inside of an expectation'),
  field(
    24,
    ['a', 'caf\xe9 \x80\xff'],
    'RFC 9110 section 5.5',
    forwarded('GET /', ({ requests }) => assert.deepEqual(requests[0]!.fields('a'), ['caf\xe9 \x80\xff'])),
    'bytes above 127 in a value',
  ),
  field(
    24,
    ['a', ''],
    'RFC 9110 section 5.5',
    forwarded('GET /', ({ requests }) => assert.deepEqual(requests[0]!.fields('a'), [''])),
    'an empty value',
  ),
];

const CONNECTION_FIELDS: readonly FieldPair[] = [
  ['transfer-encoding', 'chunked'],
  ['transfer-encoding', 'identity'],
  ['connection', 'close'],
  ['connection', 'x-forwarded-for'],
  ['connection', 'upgrade'],
  ['upgrade', 'h2c'],
  ['upgrade', 'websocket'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['te', 'gzip'],
  ['te', 'trailers, gzip'],
  ['te', 'chunked'],
];

const hops: readonly H2Case[] = [
  ...CONNECTION_FIELDS.map((pair) => ({
    ...field(18, pair, HOP, MALFORMED),
    danger: got('transfer-encoding', 'keep-alive', 'proxy-connection'),
  })),
  // Without Upgrade: h2c, nobody reads it.
  field(18, ['http2-settings', 'AAMAAABk'], 'RFC 9113 section 3.1', forwarded()),
  // May be relayed (RFC 9110 section 11.7.2).
  field(18, ['proxy-authorization', 'Basic eDp5'], 'RFC 9110 section 7.6.1', forwarded()),
].map((hostile) => ({
  ...hostile,
  expect: {
    ...hostile.expect,
    check: ({ requests }) => {
      for (const name of ['http2-settings', 'proxy-authorization'])
        assert.deepEqual(requests[0]?.fields(name) ?? [], []);
    },
  },
}));

export const fieldCases: readonly H2Case[] = [...names, ...values, ...hops];
