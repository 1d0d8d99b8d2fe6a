// Items 15 and 16: upstreams that answer wrongly. What the client gets is whole or can be told not to be; what is left over
// on the upstream connection never becomes the answer to another request.
import assert from 'node:assert/strict';
import { post, request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import type { Peer } from '../../support/peer.ts';
import { POISON } from '../dangers.ts';
import type { Expectation, HostileCase } from '../hostile-case.ts';

const BODYLESS = 'RFC 9112 section 6.3; RFC 9110 section 6.4.1';
const FRAMING = 'RFC 9112 sections 6.1, 6.3';
const SYNTAX = 'RFC 9112 sections 2.2, 4, 5';
const LEFT_OVER = 'RFC 9112 section 6.3; Node CVE-2026-48931';
const SHORT = 'RFC 9112 section 8';
const INTERIM = 'RFC 9110 section 15.2';
const SIZE = 'RFC 6585 section 5; Traefik CVE-2026-26998';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const STRAY = ok(POISON);

const badGateway = (origin = 'GET /', before: readonly number[] = []): Expectation => ({
  client: [...before, 502],
  ends: 'kept',
  origin: [origin],
  upstream: 'dropped',
});
const passedOn = (status: number, origin = 'GET /'): Expectation => ({
  client: [status],
  ends: 'kept',
  origin: [origin],
  upstream: 'dropped',
});
const cutOff: Expectation = {
  client: [],
  ends: 'cut',
  origin: ['GET /'],
  upstream: 'dropped',
  check: ({ stray }) => assert.doesNotMatch(stray, /\r\n0\r\n\r\n$/),
};

/** Bytes of an answer, and how the upstream ends it. */
const answer = (
  item: number | null,
  name: string,
  source: string,
  bytes: string | readonly string[],
  expect: Expectation,
  end: 'open' | 'fin' | 'reset' = 'open',
): HostileCase => ({
  item,
  name,
  source,
  send: request(),
  script: async (_asked, peer) => {
    await peer.send(...[bytes].flat()).catch(() => {});
    if (end === 'fin') peer.finish();
    else if (end === 'reset') peer.reset();
  },
  expect,
});

const malformed = (name: string, source: string, bytes: string | readonly string[], end?: 'open' | 'fin' | 'reset') =>
  answer(16, name, source, bytes, badGateway(), end);

/** What comes behind an answer that has no content. */
const bodyless: readonly HostileCase[] = [
  ['204 with a length and content', '204 No Content', 'Content-Length: 4\r\n', 'GET'],
  ['204 with chunked content', '204 No Content', 'Transfer-Encoding: chunked\r\n', 'GET'],
  ['204 without a length, with content', '204 No Content', '', 'GET'],
  ['304 with content', '304 Not Modified', 'Content-Length: 4\r\n', 'GET'],
  ['an answer to HEAD with content', '200 OK', 'Content-Length: 4\r\n', 'HEAD'],
  ['an answer to HEAD with chunked content', '200 OK', 'Transfer-Encoding: chunked\r\n', 'HEAD'],
].flatMap(([name, status, fields, method]) =>
  [STRAY, '4\r\nevil\r\n0\r\n\r\n', 'evil'].map((content, i) => ({
    item: 15,
    name: `${name}${['; the content is an answer', '; the content is a chunk', ''][i]}`,
    source: BODYLESS,
    head: true as const,
    script: (_asked: unknown, peer: Peer) => peer.send(`HTTP/1.1 ${status}\r\n${fields}\r\n${content}`),
    send: request('/', [], method),
    expect: {
      ...passedOn(Number(status!.slice(0, 3)), `${method} /`),
      check: ({ stray }: { stray: string }) => assert.equal(stray, ''),
    },
  })),
);

/** The declared content comes only when the connection may already carry the next request. */
const late: readonly HostileCase[] = ['Content-Length: 4', 'Transfer-Encoding: chunked'].map((field) => ({
  item: 15,
  name: `204 with ${field}, the content still to come`,
  source: BODYLESS,
  script: (_asked, peer) => peer.send(`HTTP/1.1 204 No Content\r\n${field}\r\n\r\n`),
  send: request(),
  expect: passedOn(204),
}));

const interim: readonly HostileCase[] = [
  answer(
    16,
    '103 with a length and content',
    INTERIM,
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 4\r\n\r\nevil${ok()}`,
    badGateway('GET /', [103]),
  ),
  answer(
    16,
    '100,000 interim answers',
    INTERIM,
    'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100_000),
    badGateway('GET /', Array(16).fill(103)),
  ),
  malformed('an interim answer of 1 MB', INTERIM, `HTTP/1.1 103 Early Hints\r\nA: ${'x'.repeat(1024 * 1024)}\r\n\r\n`),
  answer(
    16,
    'nothing behind an interim answer',
    INTERIM,
    'HTTP/1.1 100 Continue\r\n\r\n',
    badGateway('GET /', [100]),
    'fin',
  ),
  answer(
    16,
    '103 with hop-by-hop fields',
    INTERIM,
    `HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: y\r\nContent-Length: 0\r\nA: b\r\n\r\n${ok()}`,
    {
      client: [103, 200],
      ends: 'kept',
      origin: ['GET /'],
      check: ({ answers }) => assert.match(answers[0]!.head, /^HTTP\/1\.1 103 Early Hints\r\nA: b\r\n\r\n$/),
    },
  ),
];

const framing: readonly HostileCase[] = [
  malformed('two lengths', FRAMING, `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`),
  malformed('two equal lengths', FRAMING, `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`),
  malformed('a list as the length', FRAMING, `${HEAD}Content-Length: 2, 2\r\n\r\nab`),
  malformed('a length that is no number', FRAMING, `${HEAD}Content-Length: 0x2\r\n\r\nab`),
  malformed('a negative length', FRAMING, `${HEAD}Content-Length: -1\r\n\r\nab`),
  malformed('a length of 20 digits', FRAMING, `${HEAD}Content-Length: 18446744073709551618\r\n\r\nab`),
  malformed(
    'Content-Length and chunked',
    FRAMING,
    `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  malformed(
    'chunked and Content-Length, an answer behind',
    FRAMING,
    `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${STRAY}`,
  ),
  malformed('an unknown coding', FRAMING, `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  malformed('two codings', FRAMING, `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  malformed('identity', FRAMING, `${HEAD}Transfer-Encoding: identity\r\n\r\nhello`, 'fin'),
  malformed('chunked in HTTP/1.0', FRAMING, 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
];

const syntax: readonly HostileCase[] = [
  malformed('HTTP/0.9: content without a head', SYNTAX, '<html><body>hello there</body></html>', 'fin'),
  malformed('garbage', SYNTAX, '\x15\x03\x01\x00\x02\x02\x0a garbage garbage'),
  malformed("another protocol's greeting", SYNTAX, 'SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  malformed("HTTP/2's settings", SYNTAX, '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80'),
  malformed('HTTP/2.0 in the status line', SYNTAX, 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'),
  malformed('HTTP/1.2 in the status line', SYNTAX, 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n'),
  malformed('status 99', SYNTAX, 'HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n'),
  malformed('status 099', SYNTAX, 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'),
  malformed('status 600', 'RFC 9110 section 15', 'HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n'),
  malformed('status 1000', SYNTAX, 'HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n'),
  malformed('status 2OO', SYNTAX, 'HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n'),
  malformed('status -1', SYNTAX, 'HTTP/1.1 -1 Low\r\nContent-Length: 0\r\n\r\n'),
  malformed('no status', SYNTAX, 'HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n'),
  malformed('a tab behind the version', SYNTAX, 'HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n'),
  malformed('a control character in the reason', SYNTAX, 'HTTP/1.1 200 O\x1bK\r\nContent-Length: 0\r\n\r\n'),
  malformed('a bare CR in the reason', SYNTAX, 'HTTP/1.1 200 OK\rX: y\r\nContent-Length: 0\r\n\r\n'),
  malformed('a reason of 1 MB', SIZE, `HTTP/1.1 200 ${'x'.repeat(1024 * 1024)}\r\nContent-Length: 0\r\n\r\n`),
  malformed('an empty line before the status line', SYNTAX, `\r\n${ok()}`),
  malformed('NUL in a value', SYNTAX, `${HEAD}A: b\0\r\nContent-Length: 0\r\n\r\n`),
  malformed('a bare LF behind every line', SYNTAX, 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  malformed('a bare LF that hides a field', SYNTAX, `${HEAD}A: b\nSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n`),
  malformed('a bare CR in a value', SYNTAX, `${HEAD}A: b\rSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n`),
  malformed('a folded field', SYNTAX, `${HEAD}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`),
  malformed('a space before the colon', SYNTAX, `${HEAD}Content-Length : 0\r\n\r\n`),
  malformed('an empty name', SYNTAX, `${HEAD}: x\r\nContent-Length: 0\r\n\r\n`),
  malformed('a name that is no token', SYNTAX, `${HEAD}A(B): x\r\nContent-Length: 0\r\n\r\n`),
  malformed('a head of 10 MB in one field', SIZE, [HEAD, `A: ${'x'.repeat(10 * 1024 * 1024)}`]),
  malformed('a head of 10 MB in fields', SIZE, [HEAD, `A: ${'x'.repeat(1000)}\r\n`.repeat(10_000)]),
  malformed('5,000 fields', SIZE, `${HEAD}${'a: b\r\n'.repeat(5_000)}\r\n`),
];

/** To a POST, which is never sent again. */
const early: readonly HostileCase[] = [
  malformed('closed without an answer', SHORT, [], 'fin'),
  malformed('reset without an answer', SHORT, [], 'reset'),
  malformed('closed in the head', SHORT, `${HEAD}Content-`, 'fin'),
  malformed('reset in the head', SHORT, `${HEAD}Content-`, 'reset'),
].map((hostile) => ({ ...hostile, send: post('/', ''), expect: badGateway('POST /') }));

const whole = 'a whole answer';
const short: readonly HostileCase[] = [
  answer(16, 'content shorter than its length', SHORT, `${HEAD}Content-Length: 10\r\n\r\nshort`, cutOff, 'fin'),
  answer(
    16,
    'content shorter than its length, reset',
    SHORT,
    `${HEAD}Content-Length: 10\r\n\r\nshort`,
    cutOff,
    'reset',
  ),
  answer(
    16,
    'closed between chunks',
    SHORT,
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '5\r\nshort\r\n'],
    cutOff,
    'fin',
  ),
  answer(16, 'closed in a chunk', SHORT, [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '9\r\nshort'], cutOff, 'fin'),
  answer(
    16,
    'closed before the last line end',
    SHORT,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n`,
    cutOff,
    'fin',
  ),
  answer(16, 'content until close, reset', SHORT, `${HEAD}\r\nshort`, cutOff, 'reset'),
  ...[
    'xyz\r\n',
    '-1\r\n',
    '0x5\r\n',
    '\r\n',
    '5 \r\nhello\r\n',
    '2\nab\r\n',
    '5;\n\r\nhello\r\n',
    '5\r\nhelloXX',
    'fffffffffffffffff\r\n',
  ].map((chunk) =>
    answer(
      16,
      `the malformed chunk ${JSON.stringify(chunk).slice(1, -1)}`,
      FRAMING,
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n${chunk}0\r\n\r\n`,
      cutOff,
    ),
  ),
  answer(
    16,
    'an endless chunk extension',
    SIZE,
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n5;`, 'x'.repeat(1024 * 1024)],
    cutOff,
  ),
  answer(
    16,
    'endless trailers',
    SIZE,
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nA: `, 'x'.repeat(1024 * 1024)],
    cutOff,
  ),
];

const leftOver: readonly HostileCase[] = [
  answer(16, `another answer behind ${whole}`, LEFT_OVER, `${ok('fine')}${STRAY}`, passedOn(200)),
  answer(
    16,
    `another answer behind chunked content`,
    LEFT_OVER,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${STRAY}`,
    passedOn(200),
  ),
  answer(
    16,
    'content longer than its length',
    LEFT_OVER,
    `${HEAD}Content-Length: 4\r\n\r\nfine, and more`,
    passedOn(200),
  ),
  answer(16, `a line end behind ${whole}`, LEFT_OVER, `${ok('fine')}\r\n`, passedOn(200)),
  answer(
    16,
    `an interim answer behind ${whole}`,
    LEFT_OVER,
    `${ok('fine')}HTTP/1.1 100 Continue\r\n\r\n`,
    passedOn(200),
  ),
  answer(16, `another answer a moment behind ${whole}`, LEFT_OVER, [ok('fine'), STRAY], { ...passedOn(200) }),
  answer(16, `half-closed behind ${whole}`, LEFT_OVER, ok('fine'), passedOn(200), 'fin'),
  answer(16, `reset behind ${whole}`, LEFT_OVER, ok('fine'), passedOn(200), 'reset'),
  answer(
    16,
    `Connection: close and another answer behind ${whole}`,
    LEFT_OVER,
    ok('fine').replace('\r\n', '\r\nConnection: close\r\n') + STRAY,
    passedOn(200),
  ),
  {
    item: 16,
    name: 'another answer, before any request',
    source: 'nginx CVE-2026-1642; Node CVE-2026-48931',
    send: async ({ client, asked }) => {
      await client.send(request());
      await client.message();
      await (await asked()).send(STRAY);
    },
    expect: passedOn(200),
  },
];

const splitting: readonly HostileCase[] = [
  answer(
    null,
    'trailers that say framing and cookies',
    'RFC 9110 section 6.5.1',
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\nSum: 7\r\n\r\n`,
    {
      client: [200],
      ends: 'kept',
      origin: ['GET /'],
      check: ({ answers }) => assert.deepEqual(answers[0]!.trailers, ['Sum: 7']),
    },
  ),
  answer(
    null,
    'a reason with bytes above 127, and none',
    'RFC 9112 section 4',
    'HTTP/1.1 200 \xe9t\xe9\r\nContent-Length: 0\r\n\r\n',
    {
      client: [200],
      ends: 'kept',
      origin: ['GET /'],
      upstream: 'kept',
    },
  ),
  answer(
    null,
    '100 fields and a value of 32 KiB, which are accepted',
    SIZE,
    `${HEAD}${'A: b\r\n'.repeat(98)}B: ${'x'.repeat(32 * 1024)}\r\nContent-Length: 0\r\n\r\n`,
    {
      client: [200],
      ends: 'kept',
      origin: ['GET /'],
      upstream: 'kept',
    },
  ),
];

export const responseCases: readonly HostileCase[] = [
  ...bodyless,
  ...late,
  ...interim,
  ...framing,
  ...syntax,
  ...early,
  ...short,
  ...leftOver,
  ...splitting,
];
