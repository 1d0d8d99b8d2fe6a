// Item 16: answers that are malformed, or that never come.
import assert from 'node:assert/strict';
import { post } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import type { HostileCase } from '../hostile-case.ts';
import { answer, badGateway, HEAD, STRAY } from './upstream-answer.ts';

const FRAMING = 'RFC 9112 sections 6.1, 6.3';
const SYNTAX = 'RFC 9112 sections 2.2, 4, 5';
const SHORT = 'RFC 9112 section 8';
const SIZE = 'RFC 6585 section 5; Traefik CVE-2026-26998';

const malformed = (name: string, source: string, bytes: string | readonly string[], end?: 'open' | 'fin' | 'reset') =>
  answer(16, name, source, bytes, badGateway(), end);

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

const lawful: readonly HostileCase[] = [
  answer(null, 'a status line without a reason', 'RFC 9112 section 4', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', {
    client: [200],
    ends: 'kept',
    origin: ['GET /'],
    upstream: 'kept',
  }),
  answer(null, 'an answer in single bytes', 'RFC 9112 section 2.2', [...ok('fine')], {
    client: [200],
    ends: 'kept',
    origin: ['GET /'],
    upstream: 'kept',
  }),
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

export const responseCases: readonly HostileCase[] = [...framing, ...syntax, ...early, ...lawful];
