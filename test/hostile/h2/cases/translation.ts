// Item 24: what HTTP/2 can say and HTTP/1.1 can't, in the parts of a request that become its start line, its Host and its
// trailers; cookies that come in crumbs.
import assert from 'node:assert/strict';
import { data, END_STREAM } from '../../../support/h2-frames.ts';
import { headers, requestFields } from '../../../support/h2-headers.ts';
import { show } from '../../hostile-case.ts';
import { ask, askWith, forwarded, type H2Case, type H2Expectation, pseudo, refused } from '../h2-case.ts';
import { INJECTED } from '../h2-dangers.ts';

const DOWNGRADE = 'RFC 9113 section 10.3; "HTTP/2: The Sequel is Always Worse"';
const COOKIES = 'RFC 9113 section 8.2.3';
const TRAILERS = 'RFC 9113 section 8.1; RFC 9110 section 6.5.1';

const MALFORMED = refused('PROTOCOL_ERROR');
const BAD = refused(400);

const start = (field: string, value: string, expect: H2Expectation): H2Case => ({
  item: 24,
  name: show(`${field}: ${value}`),
  source: DOWNGRADE,
  send: askWith(pseudo({ [field]: value })),
  expect,
});

const LINE = ` HTTP/1.1\r\n${INJECTED}: yes\r\nx: `;
const REQUEST = ' HTTP/1.1\r\nHost: x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.localhost\r\nx: ';

const startLines: readonly H2Case[] = [
  start(':method', `GET /${LINE}`, MALFORMED),
  start(':method', 'GET /smuggled HTTP/1.1', MALFORMED),
  start(':method', 'GET\r\n', MALFORMED),
  start(':method', 'GET:', MALFORMED),
  start(':method', 'G\xe9T', MALFORMED),
  start(':path', `/${LINE}`, MALFORMED),
  start(':path', `/${REQUEST}`, MALFORMED),
  start(':path', '/ HTTP/1.0', BAD),
  start(':path', '/a b', BAD),
  start(':path', '/a\tb', BAD),
  start(':path', '/a\nb', MALFORMED),
  start(':path', '/a\rb', MALFORMED),
  start(':path', '/a\0b', MALFORMED),
  start(':path', '/caf\xe9', BAD),
  start(':path', '/?a b', BAD),
  start(':path', '/?\x7f', MALFORMED),
  start(':scheme', `https${LINE}`, MALFORMED),
  start(':scheme', 'https://app.localhost/smuggled?', MALFORMED),
  start(':scheme', 'http', forwarded()),
  start(':authority', `app.localhost\r\n${INJECTED}: yes`, MALFORMED),
  start(':authority', 'app.localhost other', BAD),
  start(':authority', 'app.localhost\tother', BAD),
  start(':authority', 'app.localhost\xe9', BAD),
  start(':authority', 'app.localhost\0', MALFORMED),
];

const crumbs = (...values: readonly string[]) => ask(values.map((value) => ['cookie', value]));
const joined = (cookie: string): H2Expectation =>
  forwarded('GET /', ({ requests }) => assert.deepEqual(requests[0]!.fields('cookie'), [cookie]));

/** An origin that got several Cookie fields may read the first alone. */
const splitCookies: NonNullable<H2Case['danger']> = ({ requests }) =>
  (requests[0]?.fields('cookie').length ?? 0) > 1 ? 'several Cookie fields passed on' : null;

const cookies: readonly H2Case[] = [
  {
    item: 24,
    name: 'a cookie in crumbs',
    source: COOKIES,
    send: crumbs('a=b', 'c=d', 'e=f'),
    expect: joined('a=b; c=d; e=f'),
  },
  {
    item: 24,
    name: 'crumbs with other fields between',
    source: COOKIES,
    send: ask([
      ['cookie', 'a=b'],
      ['x', 'y'],
      ['cookie', 'c=d'],
    ]),
    expect: joined('a=b; c=d'),
  },
  { item: 24, name: 'empty crumbs', source: COOKIES, send: crumbs('a=b', '', 'c=d'), expect: joined('a=b; ; c=d') },
].map((hostile) => ({ ...hostile, danger: splitCookies }));

const trailers = (
  name: string,
  fields: Parameters<typeof headers>[1],
  expect: H2Expectation,
  flags = END_STREAM,
): H2Case => ({
  item: 24,
  name,
  source: TRAILERS,
  send: Buffer.concat([headers(1, requestFields('/', 'POST')), data(1, 'hello'), headers(1, fields, flags)]),
  expect,
});
const broken: H2Expectation = { ...MALFORMED, begun: true };

const endings: readonly H2Case[] = [
  trailers(
    'trailers that say framing, routing, and who the client is',
    [
      ['content-length', '5'],
      ['host', 'other.localhost'],
      ['authorization', 'x'],
      ['x-forwarded-for', '6.6.6.6'],
      ['x_forwarded_for', '6.6.6.6'],
      ['sum', '7'],
    ],
    forwarded('POST /', ({ requests }) => assert.deepEqual(requests[0]!.trailers, ['sum: 7'])),
  ),
  trailers('a pseudo-field in trailers', [[':path', '/admin/']], broken),
  trailers('transfer-encoding in trailers', [['transfer-encoding', 'chunked']], broken),
  trailers('a line end in trailers', [['a', `b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`]], broken),
  trailers('upper case in trailers', [['Sum', '7']], broken),
  trailers('trailers that do not end the stream', [['sum', '7']], broken, 0),
];

export const translationCases: readonly H2Case[] = [...startLines, ...cookies, ...endings];
