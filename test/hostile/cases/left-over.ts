// Item 16: content that ends too early or too late. What the client gets is whole or can be told not to be; what is left on
// the upstream connection never becomes the answer to another request.
import { request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import type { HostileCase } from '../hostile-case.ts';
import { answer, cutOff, HEAD, passedOn, STRAY } from './upstream-answer.ts';

const FRAMING = 'RFC 9112 sections 6.1, 6.3';
const LEFT_OVER = 'RFC 9112 section 6.3; Node CVE-2026-48931';
const SHORT = 'RFC 9112 section 8';
const SIZE = 'RFC 6585 section 5; Traefik CVE-2026-26998';

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
  answer(16, `another answer behind a whole answer`, LEFT_OVER, `${ok('fine')}${STRAY}`, passedOn(200)),
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
  answer(16, `a line end behind a whole answer`, LEFT_OVER, `${ok('fine')}\r\n`, passedOn(200)),
  answer(
    16,
    `an interim answer behind a whole answer`,
    LEFT_OVER,
    `${ok('fine')}HTTP/1.1 100 Continue\r\n\r\n`,
    passedOn(200),
  ),
  answer(16, `another answer a moment behind a whole answer`, LEFT_OVER, [ok('fine'), STRAY], { ...passedOn(200) }),
  answer(16, `half-closed behind a whole answer`, LEFT_OVER, ok('fine'), passedOn(200), 'fin'),
  answer(16, `reset behind a whole answer`, LEFT_OVER, ok('fine'), passedOn(200), 'reset'),
  answer(
    16,
    `Connection: close and another answer behind a whole answer`,
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
      const peer = await asked();
      await peer.send(STRAY);
      await peer.end(); // or the next request may cross it on the way
    },
    expect: passedOn(200),
  },
];

export const leftOverCases: readonly HostileCase[] = [...short, ...leftOver];
