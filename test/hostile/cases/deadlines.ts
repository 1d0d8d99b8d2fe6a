// Item 27: silence, and bytes that dribble, in every phase. One connection each; thousands of them: test/faults.
import assert from 'node:assert/strict';
import { post, request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import type { Peer } from '../../support/peer.ts';
import { clientHello } from '../client-hello.ts';
import type { Expectation, HostileCase } from '../hostile-case.ts';
import { ASK, switching } from './upgrade.ts';

const HANDSHAKE = 'Traefik CVE-2026-22045, CVE-2026-25949';
const HEAD = 'Node CVE-2018-12122; RFC 9110 section 15.5.9';
const BODY = 'Traefik CVE-2024-28869; RFC 9110 section 15.5.9';
const ANSWER = 'RFC 9110 section 15.6.5';
const IDLE = 'Node CVE-2019-5737; RFC 9112 section 9.5';
const PAUSE_MS = 100;

const nothing: Expectation = { client: [], ends: 'closed', origin: [] };
const tooLate: Expectation = { client: [408], ends: 'closed', origin: [], begun: true };

/** One byte now and then until the other side has enough of it. */
async function dribble(client: Peer, text: string): Promise<void> {
  for (const byte of text) {
    if (client.ended !== 'no') return;
    await client.send(byte);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

const silent = (name: string, source: string, send: HostileCase['send'], expect: Expectation): HostileCase => ({
  item: 27,
  name,
  source,
  send,
  unfinished: true,
  expect,
});

export const deadlineCases: readonly HostileCase[] = [
  { ...silent('silence in place of a ClientHello', HANDSHAKE, '', nothing), via: 'tcp' },
  { ...silent('half a ClientHello', HANDSHAKE, clientHello({}).subarray(0, 100), nothing), via: 'tcp' },
  {
    ...silent(
      'a ClientHello a byte at a time',
      HANDSHAKE,
      ({ client }) => dribble(client, clientHello({}).toString('latin1')),
      nothing,
    ),
    via: 'tcp',
  },
  silent('silence in place of a request', HEAD, '', nothing),
  silent('half a head', HEAD, 'GET / HTTP/1.1\r\nHost: app.loc', tooLate),
  silent('a head without its empty line', HEAD, request().slice(0, -2), tooLate),
  silent(
    'a head a byte at a time',
    HEAD,
    ({ client }) => dribble(client, request('/', ['A: '.padEnd(1_000, 'x')])),
    tooLate,
  ),
  silent('half the content', BODY, post('/', 'hello').slice(0, -2), tooLate),
  silent('half a chunk', BODY, `${request('/', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhe`, tooLate),
  silent(
    'silence behind an answer',
    IDLE,
    async ({ client }) => {
      await client.send(request());
      await client.message();
    },
    { client: [200], ends: 'closed', origin: ['GET /'] },
  ),
  silent(
    'silence behind an answer, then half a head',
    HEAD,
    async ({ client }) => {
      await client.send(request());
      await client.message();
      await client.send('GET / HT');
    },
    { client: [200, 408], ends: 'closed', origin: ['GET /'] },
  ),
  {
    ...silent(
      'silence in a tunnel',
      'RFC 9110 section 7.8',
      async ({ client }) => {
        await client.send(request('/', ASK));
        await client.message();
      },
      { client: [101], ends: 'closed', origin: ['GET /'], upstream: 'dropped' },
    ),
    script: (_asked, peer) => peer.send(switching('websocket')),
  },
  {
    item: 27,
    name: 'an upstream that never answers',
    source: ANSWER,
    script: () => {},
    send: request(),
    expect: { client: [504], ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 27,
    name: 'an upstream that sends its head a byte at a time',
    source: ANSWER,
    script: (_asked, peer) => dribble(peer, ok('x').replace('\r\n', `\r\nA: ${'x'.repeat(1_000)}\r\n`)),
    send: request(),
    expect: { client: [504], ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 27,
    name: 'an upstream that stops in the middle of its content',
    source: ANSWER,
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'),
    send: request(),
    expect: {
      client: [],
      ends: 'cut',
      origin: ['GET /'],
      upstream: 'dropped',
      check: ({ stray }) => assert.match(stray, /short$/),
    },
  },
];
