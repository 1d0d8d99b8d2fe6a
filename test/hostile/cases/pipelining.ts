// Item 12: requests behind one that was refused, ended the connection, or was answered before it was whole.
import assert from 'node:assert/strict';
import { post, request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import { type HostileCase, SMUGGLED } from '../hostile-case.ts';

const ORDER = 'RFC 9112 section 9.3.2';
const REFUSED = 'RFC 9112 section 9.6; Traefik CVE-2026-71324';
const UNREAD = 'RFC 9112 section 9.3; Pingora CVE-2025-4366';

const behind = (name: string, first: string, status: number, reached: readonly string[] = []): HostileCase => ({
  item: 12,
  name: `a request behind ${name}`,
  source: REFUSED,
  send: first + SMUGGLED,
  expect: { client: [status], ends: 'closed', origin: reached },
});

/** What makes the request behind it void whoever reads it. */
const last = (name: string, first: string, status: number, reached: readonly string[] = []): HostileCase => ({
  ...behind(name, first, status, reached),
  smuggles: true,
});

const refusedFirst: readonly HostileCase[] = [
  behind('one without Host', 'GET / HTTP/1.1\r\n\r\n', 400),
  behind('one with two lengths', request('/', ['Content-Length: 0', 'Content-Length: 0'], 'POST'), 400),
  last(
    'one with both framings',
    `${request('/', ['Content-Length: 5', 'Transfer-Encoding: chunked'], 'POST')}0\r\n\r\n`,
    400,
  ),
  behind('one with a space before a colon', request('/', ['A : b']), 400),
  behind('one with a fragment', request('/#'), 400),
  behind('CONNECT', request('app.localhost:443', [], 'CONNECT'), 501),
  behind('an unknown coding', request('/', ['Transfer-Encoding: gzip'], 'POST'), 501),
  behind('an unknown version', request('/', [], 'GET', 'HTTP/3.0'), 505),
  behind('one too long', request(`/${'a'.repeat(9_000)}`), 414),
  behind('one with too many fields', request('/', Array(200).fill('A: b')), 431),
  behind('an unknown expectation', request('/', ['Expect: nonsense']), 417),
  last('Connection: close', request('/', ['Connection: close']), 200, ['GET /']),
  last('Connection: keep-alive, close', request('/', ['Connection: keep-alive, close']), 200, ['GET /']),
  last('HTTP/1.0', request('/', [], 'GET', 'HTTP/1.0'), 200, ['GET /']),
  {
    ...last('malformed chunks', `${request('/', ['Transfer-Encoding: chunked'], 'POST')}x\r\n`, 400),
    expect: { client: [400], ends: 'closed', origin: [], begun: true },
  },
];

/** Answers at once, whatever content is still to come. */
const early = (status: string) => (_asked: unknown, peer: { send(text: string): unknown }) =>
  peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\nearly`);

const unread: readonly HostileCase[] = [
  {
    item: 12,
    name: 'a request behind content of 10 bytes that came after its answer',
    source: UNREAD,
    script: early('200 OK'),
    send: async ({ client }) => {
      await client.send(request('/', ['Content-Length: 10'], 'POST'));
      await client.message();
      await client.send('0123456789', request('/behind'));
    },
    expect: {
      client: [200, 200],
      ends: 'kept',
      origin: ['GET /behind'],
      begun: true,
      check: ({ leftover }) => assert.match(leftover, /^(POST \/ [\s\S]*\r\n\r\n)?$/),
    },
  },
  {
    item: 12,
    name: 'a request as the content of one that was answered before it was whole',
    smuggles: true,
    source: UNREAD,
    script: early('403 Forbidden'),
    send: async ({ client }) => {
      await client.send(request('/', [`Content-Length: ${SMUGGLED.length}`], 'POST'));
      await client.message();
      await client.send(SMUGGLED);
    },
    expect: { client: [403], ends: 'kept', origin: [], begun: true },
  },
  {
    item: 12,
    name: 'content of 1 MB behind an answer of 413, then a request',
    source: UNREAD,
    script: early('413 Content Too Large'),
    send: async ({ client }) => {
      await client.send(request('/', [`Content-Length: ${1024 * 1024}`], 'POST'));
      await client.message();
      await client.send('x'.repeat(1024 * 1024), SMUGGLED);
    },
    expect: { client: [413], ends: 'closed', origin: [], begun: true },
  },
  {
    item: 12,
    name: 'chunked content that never ends behind an answer of 400',
    smuggles: true,
    source: UNREAD,
    script: early('400 Bad Request'),
    send: async ({ client }) => {
      await client.send(`${request('/', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhello\r\n`);
      await client.message();
      await client.send(SMUGGLED);
    },
    expect: { client: [400], ends: 'closed', origin: [], begun: true },
  },
];

const lawful: readonly HostileCase[] = [
  {
    item: 12,
    name: 'requests with and without content in one write',
    source: ORDER,
    send:
      post('/1', 'hello') +
      request('/2') +
      `${request('/3', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhello\r\n0\r\n\r\n` +
      post('/4', SMUGGLED) +
      request('/5'),
    expect: {
      client: [200, 200, 200, 200, 200],
      ends: 'kept',
      origin: ['POST /1', 'GET /2', 'POST /3', 'POST /4', 'GET /5'],
    },
  },
  {
    item: 12,
    name: '100 requests in one write',
    source: ORDER,
    script: (asked, peer) => peer.send(ok(asked.startLine)),
    send: Array.from({ length: 100 }, (_, i) => request(`/${i}`)).join(''),
    expect: {
      client: Array(100).fill(200),
      ends: 'kept',
      origin: Array.from({ length: 100 }, (_, i) => `GET /${i}`),
      check: ({ answers }) => {
        for (const [i, answer] of answers.entries()) assert.equal(answer.body, `GET /${i} HTTP/1.1`);
      },
    },
  },
  {
    item: 12,
    name: 'a request behind HEAD, whose answer declares content',
    source: ORDER,
    head: true,
    script: (asked, peer) =>
      peer.send(asked.startLine.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' : ok('right')),
    send: request('/', [], 'HEAD') + request('/2'),
    expect: { client: [200, 200], ends: 'kept', origin: ['HEAD /', 'GET /2'] },
  },
  {
    item: 12,
    name: 'a request of which the answer never comes, and one behind it',
    source: ORDER,
    script: (asked, peer) => (asked.startLine.includes('/lost') ? peer.reset() : peer.send(ok())),
    send: post('/lost', '') + request('/2'),
    expect: { client: [502, 200], ends: 'kept', origin: ['POST /lost', 'GET /2'] },
  },
];

export const pipeliningCases: readonly HostileCase[] = [...refusedFirst, ...unread, ...lawful];
