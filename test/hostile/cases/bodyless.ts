// Item 15: content where an answer has none.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import type { Peer } from '../../support/peer.ts';
import type { HostileCase } from '../hostile-case.ts';
import { answer, badGateway, passedOn, STRAY } from './upstream-answer.ts';

const BODYLESS = 'RFC 9112 section 6.3; RFC 9110 section 6.4.1';
const INTERIM = 'RFC 9110 section 15.2';

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
  answer(
    16,
    'an interim answer of 1 MB',
    INTERIM,
    `HTTP/1.1 103 Early Hints\r\nA: ${'x'.repeat(1024 * 1024)}\r\n\r\n`,
    badGateway(),
  ),
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

export const bodylessCases: readonly HostileCase[] = [...bodyless, ...late, ...interim];
