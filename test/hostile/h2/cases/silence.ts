// Item 27 over HTTP/2: silence, and bytes that dribble, in every phase, against a Perantara with little patience.
import {
  data,
  END_STREAM,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  ping,
  windowUpdate,
} from '../../../support/h2-frames.ts';
import { block, headers, requestFields } from '../../../support/h2-headers.ts';
import type { H2Peer } from '../../../support/h2-peer.ts';
import { ok } from '../../../support/origin.ts';
import { ask, goneWith, type H2Case, type H2Expectation } from '../h2-case.ts';
import { opened } from './tunnels.ts';

const HEAD = 'Node CVE-2018-12122; RFC 9113 section 10.5';
const BODY = 'Traefik CVE-2024-28869; RFC 9110 section 15.5.9';
const IDLE = 'Node CVE-2019-5737; RFC 9113 section 9.1';
const READER = 'CVE-2019-9517; HTTP/2 Bomb: CVE-2026-49975';
const ANSWER = 'RFC 9110 section 15.6.5';
const PAUSE_MS = 100;

const BARE = { preface: false, settings: null, handshake: false } as const;
const UNSETTLED = { settings: null, handshake: false } as const;
const SHUT = { settings: [[INITIAL_WINDOW_SIZE, 0]], habits: { returnWindow: false } } as const;

/** One piece now and then until the other side has enough of it, or there are no more. */
async function dribble(client: H2Peer, pieces: Iterable<Buffer>, isOver: () => boolean = () => false): Promise<void> {
  for (const piece of pieces) {
    if (client.ended !== 'no' || client.goaway !== null || isOver()) return;
    await client.send(piece);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

const times = (count: number, piece: Buffer): Buffer[] => Array(count).fill(piece);
const bytes = (of: Buffer): Buffer[] => [...of].map((byte) => Buffer.from([byte]));

const silent = (
  name: string,
  source: string,
  send: H2Case['send'],
  expect: H2Expectation,
  options?: H2Case['options'],
): H2Case => ({
  item: 27,
  name,
  source,
  send,
  unfinished: true,
  expect,
  ...(options === undefined ? {} : { options }),
});

const post = headers(1, requestFields('/', 'POST', [['content-length', '1000']]));
const late: H2Expectation = { streams: { 1: '408' }, ends: 'NO_ERROR', origin: [], begun: true };
const stalled: H2Expectation = {
  streams: { 1: '200 CANCEL' },
  ends: 'NO_ERROR',
  origin: ['GET /'],
  upstream: 'dropped',
};
const long = ok('x'.repeat(8 * 1024 * 1024));

export const h2SilenceCases: readonly H2Case[] = [
  silent('silence in place of a preface', HEAD, Buffer.alloc(0), goneWith('PROTOCOL_ERROR'), BARE),
  silent('half a preface', HEAD, PREFACE.subarray(0, 20), goneWith('PROTOCOL_ERROR'), BARE),
  silent(
    'a preface a byte at a time',
    HEAD,
    ({ client }) => dribble(client, bytes(PREFACE)),
    goneWith('PROTOCOL_ERROR'),
    BARE,
  ),
  silent('a preface and no SETTINGS', HEAD, Buffer.alloc(0), goneWith('PROTOCOL_ERROR'), UNSETTLED),
  silent('half the head of a frame', HEAD, ask().subarray(0, 5), goneWith('PROTOCOL_ERROR')),
  silent('half of HEADERS', HEAD, ask().subarray(0, 20), goneWith('PROTOCOL_ERROR')),
  silent('HEADERS a byte at a time', HEAD, ({ client }) => dribble(client, bytes(ask())), goneWith('PROTOCOL_ERROR')),
  silent(
    'HEADERS, and CONTINUATION that does not come',
    HEAD,
    frame(HEADERS, END_STREAM, 1, block(requestFields())),
    goneWith('PROTOCOL_ERROR'),
  ),
  silent(
    'CONTINUATION now and then',
    HEAD,
    async ({ client }) => {
      client.send(frame(HEADERS, END_STREAM, 1, block(requestFields())));
      await dribble(client, times(30, frame(9, 0, 1)));
    },
    goneWith('PROTOCOL_ERROR'),
  ),
  silent('silence in place of a request', IDLE, Buffer.alloc(0), goneWith('NO_ERROR')),
  silent(
    'PING now and then in place of a request',
    IDLE,
    ({ client }) => dribble(client, times(60, ping())),
    goneWith('NO_ERROR'),
  ),
  silent('silence behind an answer', IDLE, ask(), { streams: { 1: '200' }, ends: 'NO_ERROR', origin: ['GET /'] }),
  silent('half the content', BODY, Buffer.concat([post, data(1, 'hello')]), late),
  silent(
    'content a byte at a time',
    BODY,
    async ({ client }) => {
      client.send(post);
      await dribble(client, times(60, data(1, 'x')), () => client.stream(1).ended);
    },
    late,
  ),
  silent(
    'a frame of content that stops in its middle',
    BODY,
    Buffer.concat([post, data(1, 'x'.repeat(500)).subarray(0, 100)]),
    late,
  ),
  { ...silent('a window that stays shut', READER, ask(), stalled, SHUT), script: (_asked, peer) => peer.send(long) },
  {
    ...silent(
      'a window of the connection that stays shut',
      READER,
      Buffer.concat([ask(), windowUpdate(1, 2 ** 30)]),
      stalled,
      { habits: { returnWindow: false } },
    ),
    script: (_asked, peer) => peer.send(long),
  },
  {
    ...silent(
      'a window that opens a byte at a time',
      READER,
      async ({ client }) => {
        client.send(ask());
        await dribble(client, times(60, windowUpdate(1, 1)), () => client.rst(1) !== null);
      },
      stalled,
      SHUT,
    ),
    script: (_asked, peer) => peer.send(long),
  },
  {
    ...silent(
      'silence in a tunnel',
      'RFC 8441 section 5.1',
      headers(1, [...requestFields('/', 'CONNECT'), [':protocol', 'websocket']]),
      { streams: { 1: '200 CANCEL' }, ends: 'NO_ERROR', origin: ['GET /'], upstream: 'dropped' },
    ),
    script: (asked, peer) => peer.send(opened(asked)),
  },
  {
    ...silent('an upstream that never answers', ANSWER, ask(), {
      streams: { 1: '504' },
      ends: 'NO_ERROR',
      origin: ['GET /'],
      upstream: 'dropped',
    }),
    script: () => {},
  },
  {
    ...silent('an upstream that stops in the middle of its content', ANSWER, ask(), {
      streams: { 1: '200 INTERNAL_ERROR' },
      ends: 'NO_ERROR',
      origin: ['GET /'],
      upstream: 'dropped',
    }),
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'),
  },
];
