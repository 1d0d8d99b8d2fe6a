// Items 23 and 27: what is no HTTP/2, or none any more, and ends the connection; GOAWAY and resets in the middle of a request.
import assert from 'node:assert/strict';
import {
  ACK,
  CONTINUATION,
  continuation,
  DATA,
  data,
  ENABLE_CONNECT_PROTOCOL,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  frame,
  goAway,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PADDED,
  PING,
  PUSH_PROMISE,
  ping,
  priority,
  RST_STREAM,
  rstStream,
  SETTINGS,
  settings,
  settingsAck,
  WINDOW_UPDATE,
  windowUpdate,
} from '../../../support/h2-frames.ts';
import { block, headers, requestFields } from '../../../support/h2-headers.ts';
import type { H2Peer } from '../../../support/h2-peer.ts';
import { ok } from '../../../support/origin.ts';
import { clientHello } from '../../client-hello.ts';
import { ask, goneWith, type H2Case, type H2Expectation } from '../h2-case.ts';

const START = 'RFC 9113 section 3.4';
const SIZE = 'RFC 9113 section 4.2';
const STATES = 'RFC 9113 section 5.1';
const BLOCK = 'RFC 9113 section 4.3; CVE-2019-9516';
const FLOW = 'RFC 9113 section 6.9';
const VALUES = 'RFC 9113 section 6.5.2';
const GONE = 'RFC 9113 section 6.8; Node CVE-2025-23085';
const BROKEN = 'Node CVE-2025-59465';

const MOST = 2 ** 31 - 1;
const BARE = { preface: false, settings: null, handshake: false } as const;
const UNSETTLED = { settings: null, handshake: false } as const;

const post = headers(1, requestFields('/', 'POST'));

const ending = (
  name: string,
  source: string,
  send: H2Case['send'],
  expect: H2Expectation,
  options?: H2Case['options'],
): H2Case => ({ item: 23, name, source, send, expect, ...(options === undefined ? {} : { options }) });

const wrong = (name: string, source: string, ...send: readonly Buffer[]): H2Case =>
  ending(name, source, Buffer.concat(send), { ...goneWith('PROTOCOL_ERROR'), begun: true });
const sized = (name: string, ...send: readonly Buffer[]): H2Case =>
  ending(name, SIZE, Buffer.concat(send), { ...goneWith('FRAME_SIZE_ERROR'), begun: true });

const text = (content: string): Buffer => Buffer.from(content, 'latin1');

const starts: readonly H2Case[] = [
  ending(
    'a request of HTTP/1.1',
    START,
    text('GET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n'),
    goneWith('PROTOCOL_ERROR'),
    BARE,
  ),
  ending(
    'half a preface, then HTTP/1.1',
    START,
    text('PRI * HTTP/2.0\r\n\r\nGET / HTTP/1.1\r\n\r\n'),
    goneWith('PROTOCOL_ERROR'),
    BARE,
  ),
  ending('a preface in lower case', START, text('pri * http/2.0\r\n\r\nsm\r\n\r\n'), goneWith('PROTOCOL_ERROR'), BARE),
  ending('a ClientHello inside of TLS', START, clientHello({}), goneWith('PROTOCOL_ERROR'), BARE),
  ending('zeros', START, Buffer.alloc(1_000), goneWith('PROTOCOL_ERROR'), BARE),
  ending('a request before any SETTINGS', START, ask(), goneWith('PROTOCOL_ERROR'), UNSETTLED),
  ending('an acknowledgement before any SETTINGS', START, settingsAck(), goneWith('PROTOCOL_ERROR'), UNSETTLED),
  ending('PING before any SETTINGS', START, ping(), goneWith('PROTOCOL_ERROR'), UNSETTLED),
  ending('DATA before any SETTINGS', START, data(1, 'x'), goneWith('PROTOCOL_ERROR'), UNSETTLED),
];

const sizes: readonly H2Case[] = [
  sized('a frame that says it has 16 MiB', frame(HEADERS, END_STREAM | END_HEADERS, 1, '', 2 ** 24 - 1)),
  sized('DATA that says it has 16 KiB and a byte', post, frame(DATA, 0, 1, '', 16_385)),
  sized('an unknown frame that says it has 16 MiB', frame(0xbe, 0, 0, '', 2 ** 24 - 1)),
  sized('SETTINGS of seven bytes', frame(SETTINGS, 0, 0, 'sevenby')),
  sized('an acknowledgement with values', frame(SETTINGS, ACK, 0, Buffer.alloc(6))),
  sized('PING of seven bytes', frame(PING, 0, 0, 'sevenby')),
  sized('PING of 16 KiB', frame(PING, 0, 0, Buffer.alloc(16_384))),
  sized('RST_STREAM of three bytes', post, frame(RST_STREAM, 0, 1, 'abc')),
  sized('WINDOW_UPDATE of five bytes', frame(WINDOW_UPDATE, 0, 0, 'abcde')),
  sized('HEADERS that are shorter than their priority', frame(HEADERS, END_HEADERS | 0x20, 1, 'abc')),
  sized('padded DATA without a length of the padding', post, frame(DATA, PADDED, 1)),
];

const states: readonly H2Case[] = [
  wrong(
    'PUSH_PROMISE',
    'RFC 9113 section 8.4',
    frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), block(requestFields())])),
  ),
  wrong('padding that is longer than its frame', 'RFC 9113 section 6.1', post, frame(DATA, PADDED, 1, [255, 1, 2])),
  wrong(
    'padding of HEADERS that is longer than its frame',
    'RFC 9113 section 6.2',
    frame(HEADERS, PADDED | END_HEADERS, 1, [255, 1, 2]),
  ),
  wrong('DATA on stream 0', STATES, data(0, 'x')),
  wrong('HEADERS on stream 0', STATES, headers(0, requestFields())),
  wrong('RST_STREAM on stream 0', STATES, rstStream(0)),
  wrong('PRIORITY on stream 0', STATES, priority(0)),
  wrong('SETTINGS on a stream', STATES, frame(SETTINGS, 0, 1)),
  wrong('GOAWAY on a stream', STATES, post, frame(7, 0, 1, Buffer.alloc(8))),
  wrong('an even stream', STATES, headers(2, requestFields(), END_STREAM)),
  wrong('a stream that is never opened', STATES, data(5, 'x')),
  wrong('RST_STREAM for a stream that is never opened', STATES, rstStream(5)),
  wrong('a lower stream after a higher', STATES, headers(5, requestFields('/', 'POST')), headers(3, requestFields())),
  wrong('CONTINUATION without HEADERS', BLOCK, continuation(1, block(requestFields()))),
  wrong('PING in the middle of a header block', BLOCK, frame(HEADERS, END_STREAM, 1, block(requestFields())), ping()),
  wrong('DATA in the middle of a header block', BLOCK, frame(HEADERS, 0, 1, block(requestFields())), data(1, 'x')),
  wrong(
    'another stream in the middle of a header block',
    BLOCK,
    frame(HEADERS, 0, 1, block(requestFields())),
    frame(CONTINUATION, END_HEADERS, 3, ''),
  ),
  wrong('an increment of 0 for the connection', FLOW, windowUpdate(0, 0)),
  ending('a window of the connection that overflows', FLOW, windowUpdate(0, MOST), goneWith('FLOW_CONTROL_ERROR')),
  ending(
    'windows of streams that SETTINGS make overflow',
    FLOW,
    Buffer.concat([post, windowUpdate(1, MOST - 65_535), settings([INITIAL_WINDOW_SIZE, 65_536])]),
    { ...goneWith('FLOW_CONTROL_ERROR'), begun: true },
  ),
  ending('a window of 2 ** 31', VALUES, settings([INITIAL_WINDOW_SIZE, 2 ** 31]), goneWith('FLOW_CONTROL_ERROR')),
  wrong('frames of at most a byte', VALUES, settings([MAX_FRAME_SIZE, 1])),
  wrong('frames of at most 16 MiB and a byte', VALUES, settings([MAX_FRAME_SIZE, 2 ** 24])),
  wrong('ENABLE_PUSH of 2', VALUES, settings([ENABLE_PUSH, 2])),
  wrong('ENABLE_CONNECT_PROTOCOL of 2', 'RFC 8441 section 3', settings([ENABLE_CONNECT_PROTOCOL, 2])),
  ending('65 settings in one frame', VALUES, settings(...Array(65).fill([0xff, 1])), goneWith('ENHANCE_YOUR_CALM')),
];

const granted = (client: H2Peer, id: number): number =>
  client.frames.reduce((sum, { type, stream, payload, settings }) => {
    if (type === WINDOW_UPDATE && stream === id) return sum + payload.readUInt32BE();
    return type === SETTINGS ? (settings.find(([name]) => name === INITIAL_WINDOW_SIZE)?.[1] ?? sum) : sum;
  }, 0);

/** Sends content until the window of its stream is shut and stays so. */
async function fill(client: H2Peer, id: number): Promise<void> {
  let sent = 0;
  for (let still = 0; still < 20; still++) {
    for (let room = granted(client, id) - sent; room > 0; room = granted(client, id) - sent) {
      const content = Buffer.alloc(Math.min(room, 16_000));
      await client.send(data(id, content));
      sent += content.length;
      still = 0;
    }
    await client.roundTrip();
  }
}

const overflows: readonly H2Case[] = [
  ending(
    'more content than the window of its stream',
    FLOW,
    async ({ client, asked }) => {
      client.send(post);
      const peer = await asked();
      peer.socket.pause();
      await fill(client, 1);
      client.data(1, 'x');
      await client.resetOf(1);
      peer.socket.resume();
    },
    { streams: { 1: 'FLOW_CONTROL_ERROR' }, ends: 'kept', origin: [], begun: true, upstream: 'dropped' },
  ),
  ending(
    'content on a stream that is over, beyond the end of it',
    STATES,
    async ({ client }) => {
      client.send(headers(1, [...requestFields('/', 'POST'), ['A', 'b']]));
      await client.resetOf(1);
      client.send(data(1, 'x', END_STREAM), data(1, 'x'));
    },
    goneWith('STREAM_CLOSED', { 1: 'PROTOCOL_ERROR' }),
  ),
];

const later = ok('later');

const ends: readonly H2Case[] = [
  {
    ...ending(
      'GOAWAY in the middle of a request, which goes on',
      GONE,
      async ({ client, asked }) => {
        client.send(post);
        await asked();
        client.send(goAway(0), data(1, 'hello', END_STREAM));
      },
      { streams: { 1: '200' }, ends: 'NO_ERROR', origin: ['POST /'] },
    ),
  },
  ending(
    'GOAWAY with an error, and debug data of 16 KiB',
    GONE,
    Buffer.concat([goAway(MOST, 'INTERNAL_ERROR', 'x'.repeat(16_000))]),
    goneWith('NO_ERROR'),
  ),
  {
    ...ending(
      'GOAWAY, then a reset and the end, while the origin works',
      GONE,
      async ({ client, asked }) => {
        client.send(ask());
        await asked();
        client.send(goAway(0), windowUpdate(1, 1), rstStream(1));
        client.finish();
      },
      { streams: { 1: '' }, ends: 'NO_ERROR', origin: ['GET /'], upstream: 'dropped' },
    ),
    script: () => {},
  },
  {
    ...ending(
      'a request that is cancelled while the origin works',
      'RFC 9113 section 5.4.2',
      async ({ client, asked }) => {
        client.send(ask());
        await asked();
        client.send(rstStream(1));
        await client.roundTrip();
      },
      { streams: { 1: '' }, ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
    ),
    script: () => {},
  },
  {
    ...ending(
      'a request that is cancelled in the middle of its answer',
      'RFC 9113 section 5.4.2',
      async ({ client }) => {
        client.send(ask());
        await client.head(1);
        client.send(rstStream(1));
        await client.roundTrip();
      },
      { streams: { 1: '200 unended' }, ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
    ),
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
  },
  {
    ...ending(
      'a reset that crosses the answer',
      'RFC 9113 section 5.1',
      async ({ client, asked }) => {
        client.send(ask());
        const peer = await asked();
        await Promise.all([peer.send(later), client.send(rstStream(1))]);
        await client.roundTrip();
      },
      {
        streams: {},
        ends: 'kept',
        origin: ['GET /'],
        check: (seen) =>
          assert.match(seen.message(1).fields === null ? 'none' : `${seen.message(1).status}`, /none|200/),
      },
    ),
    script: () => {},
  },
  {
    ...ending(
      'HEADERS with broken compression while an answer is under way',
      BROKEN,
      async ({ client }) => {
        client.send(ask());
        await client.head(1);
        client.send(headers(3, Buffer.from([0x80]), END_STREAM));
      },
      { streams: { 1: '200 unended' }, ends: 'COMPRESSION_ERROR', origin: ['GET /'], upstream: 'dropped' },
    ),
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
  },
];

export const connectionCases: readonly H2Case[] = [...starts, ...sizes, ...states, ...overflows, ...ends];
