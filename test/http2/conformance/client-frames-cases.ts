// Frames that come to the HTTP/2 client where, when and as they may and may not (RFC 9113 sections 4 to 6).
import assert from 'node:assert/strict';
import {
  ACK,
  CONTINUATION,
  continuation,
  data,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  goAway,
  HEADER_TABLE_SIZE,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  ping,
  priority,
  RST_STREAM,
  rstStream,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
  WITH_PRIORITY,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { block, type FieldPair, headers, indexed, tableSize } from '../../support/h2-headers.ts';
import { another, type Case, ends, goesOn, resets, takes } from './client-outcomes.ts';

const EIGHT = '\0'.repeat(8);
const OK: readonly FieldPair[] = [[':status', '200']];
const DUMMY = block([['x-dummy', 'x'.repeat(4_000)]]);
const ok = (flags = 0, more: readonly FieldPair[] = []): Buffer => headers(1, [...OK, ...more], flags);

export const STREAMS: readonly Case[] = [
  ...(
    [
      ['DATA', data(2, 'test', END_STREAM)],
      ['RST_STREAM', rstStream(2)],
      ['WINDOW_UPDATE', windowUpdate(2, 100)],
      ['CONTINUATION', continuation(2, block(OK))],
      ['HEADERS', headers(2, OK, END_STREAM)],
      ['HEADERS of a request to come', headers(3, OK, END_STREAM)],
    ] as const
  ).map(([name, bytes]): Case => [`${name} on an idle stream`, (peer) => peer.send(bytes), ends('PROTOCOL_ERROR')]),
  ...(
    [
      ['DATA', data(1, 'test', END_STREAM)],
      ['HEADERS', ok(END_STREAM)],
    ] as const
  ).flatMap(([name, bytes]): Case[] => [
    [
      `${name} after RST_STREAM`,
      (peer) => peer.send(ok(), rstStream(1), bytes),
      async (rig) => assert.equal(await rig.peer.resetOf(1), 'STREAM_CLOSED'),
    ],
    [`${name} after the end`, (peer) => peer.send(ok(END_STREAM), bytes), ends('STREAM_CLOSED')],
  ]),
  [
    'CONTINUATION after RST_STREAM',
    (peer) => peer.send(ok(), rstStream(1), continuation(1, DUMMY)),
    ends('PROTOCOL_ERROR', 'STREAM_CLOSED'),
  ],
  [
    'CONTINUATION after the end',
    (peer) => peer.send(ok(END_STREAM), continuation(1, DUMMY)),
    ends('PROTOCOL_ERROR', 'STREAM_CLOSED'),
  ],
  [
    'RST_STREAM fails the request, and nothing else',
    (peer) => peer.send(rstStream(1, 0xff)),
    async (rig, asked) => {
      await asked.over;
      assert.equal(asked.error?.source, 'upstream');
      await another(rig);
    },
  ],
  ['PRIORITY that depends on itself', (peer) => peer.send(ok(), priority(1, 1)), resets('PROTOCOL_ERROR')],
];

export const FRAMES: readonly Case[] = [
  ['a frame of unknown type is ignored', (peer) => peer.frame(0x16, 0xff, 7, EIGHT), goesOn],
  ['undefined flags are ignored', (peer) => peer.frame(PING, 0x16, 0, EIGHT), goesOn],
  ['the reserved bit is ignored', (peer) => peer.frame(PING, 0, 2 ** 31, EIGHT), goesOn],
  ['an unknown setting is ignored', (peer) => peer.settings([0xff, 1]), goesOn],
  [
    'DATA of 2^14 bytes',
    (peer) => peer.send(ok(), data(1, 'x'.repeat(16_384), 1)),
    takes({ body: 'x'.repeat(16_384) }),
  ],
  [
    'PING is answered',
    (peer) => peer.send(ping('h2specd\0')),
    async ({ peer }) => {
      const { flags, payload } = await peer.until(({ type }) => type === PING, 'PING');
      assert.deepEqual([flags, payload.toString('latin1')], [ACK, 'h2specd\0']);
    },
  ],
  [
    'several CONTINUATION',
    (peer) => peer.send(frame(HEADERS, END_STREAM, 1, block(OK)), continuation(1, DUMMY, 0), continuation(1, '')),
    takes({}),
  ],
  [
    'GOAWAY lets what is open end',
    (peer) => peer.send(goAway(1), ok(), data(1, 'abc', END_STREAM)),
    async ({ peer, session }, asked) => {
      await asked.over;
      assert.equal(asked.body, 'abc');
      assert.equal(session.usable, false);
      await peer.end();
    },
  ],
  [
    'GOAWAY fails what was not processed, to be asked again',
    (peer) => peer.send(goAway(0)),
    async (_rig, asked) => {
      await asked.over;
      assert.equal(asked.error?.code, 'upstream_refused');
    },
  ],
  ...(
    [
      ['DATA beyond MAX_FRAME_SIZE', Buffer.concat([ok(), data(1, 'x'.repeat(16_385))]), 'FRAME_SIZE_ERROR'],
      ['HEADERS beyond it', frame(HEADERS, END_HEADERS, 1, 'x'.repeat(16_385)), 'FRAME_SIZE_ERROR'],
      ['a block that can not be decoded', frame(HEADERS, END_HEADERS, 1, [0x40]), 'COMPRESSION_ERROR'],
      ['an index beyond the tables', headers(1, indexed(70)), 'COMPRESSION_ERROR'],
      ['a table size above ours', headers(1, Buffer.concat([tableSize(4_097), block(OK)])), 'COMPRESSION_ERROR'],
      [
        'an unknown frame inside of a block',
        Buffer.concat([frame(HEADERS, 0, 1, block(OK)), frame(0x16, 0, 0, EIGHT)]),
        'PROTOCOL_ERROR',
      ],
      ['PRIORITY inside of a block', Buffer.concat([frame(HEADERS, 0, 1, block(OK)), priority(1)]), 'PROTOCOL_ERROR'],
      ['DATA inside of a block', Buffer.concat([frame(HEADERS, 0, 1, block(OK)), data(1, 'x')]), 'PROTOCOL_ERROR'],
      [
        'CONTINUATION of stream 0 inside of a block',
        Buffer.concat([frame(HEADERS, 0, 1, block(OK)), continuation(0, DUMMY)]),
        'PROTOCOL_ERROR',
      ],
      ['CONTINUATION behind END_HEADERS', Buffer.concat([ok(), continuation(1, DUMMY)]), 'PROTOCOL_ERROR'],
      ['CONTINUATION on stream 0', frame(CONTINUATION, END_HEADERS, 0), 'PROTOCOL_ERROR'],
      ['DATA on stream 0', data(0, 'test', END_STREAM), 'PROTOCOL_ERROR'],
      [
        'DATA with too much padding',
        Buffer.concat([ok(), frame(0, PADDED | END_STREAM, 1, '\x06Test')]),
        'PROTOCOL_ERROR',
      ],
      ['HEADERS on stream 0', headers(0, OK, END_STREAM), 'PROTOCOL_ERROR'],
      ['HEADERS with too much padding', frame(HEADERS, PADDED | END_HEADERS, 1, [2, 0x88]), 'PROTOCOL_ERROR'],
      [
        'HEADERS too short for their priority',
        frame(HEADERS, WITH_PRIORITY | END_HEADERS, 1, [0, 0, 0, 0]),
        'FRAME_SIZE_ERROR',
      ],
      ['PRIORITY on stream 0', priority(0), 'PROTOCOL_ERROR'],
      ['RST_STREAM on stream 0', rstStream(0), 'PROTOCOL_ERROR'],
      ['RST_STREAM of three bytes', frame(RST_STREAM, 0, 1, [0, 0, 0]), 'FRAME_SIZE_ERROR'],
      ['SETTINGS acknowledged with a payload', frame(SETTINGS, ACK, 0, [0]), 'FRAME_SIZE_ERROR'],
      ['SETTINGS on a stream', frame(SETTINGS, 0, 1, [0, 3, 0, 0, 0, 100]), 'PROTOCOL_ERROR'],
      ['SETTINGS of three bytes', frame(SETTINGS, 0, 0, [0, 3, 0]), 'FRAME_SIZE_ERROR'],
      ['a push', frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), block(OK)])), 'PROTOCOL_ERROR'],
      ['PING on a stream', frame(PING, 0, 1, EIGHT), 'PROTOCOL_ERROR'],
      ['PING of six bytes', frame(PING, 0, 0, '123456'), 'FRAME_SIZE_ERROR'],
      ['GOAWAY on a stream', frame(GOAWAY, 0, 1, EIGHT), 'PROTOCOL_ERROR'],
      ['GOAWAY of seven bytes', frame(GOAWAY, 0, 0, '1234567'), 'FRAME_SIZE_ERROR'],
      ['WINDOW_UPDATE of 0', windowUpdate(0, 0), 'PROTOCOL_ERROR'],
      ['WINDOW_UPDATE of three bytes', frame(WINDOW_UPDATE, 0, 0, [0, 0, 1]), 'FRAME_SIZE_ERROR'],
      ['a window beyond 2^31 - 1', windowUpdate(0, 2 ** 31 - 1), 'FLOW_CONTROL_ERROR'],
      ['PRIORITY_UPDATE', frame(0x10, 0, 0, uint32(1)), 'PROTOCOL_ERROR'],
    ] as const
  ).map(([name, bytes, code]): Case => [name, (peer) => peer.send(bytes), ends(code)]),
  ...(
    [
      ['ENABLE_PUSH of 1', ENABLE_PUSH, 1, 'PROTOCOL_ERROR'],
      ['ENABLE_PUSH of 2', ENABLE_PUSH, 2, 'PROTOCOL_ERROR'],
      ['INITIAL_WINDOW_SIZE of 2^31', INITIAL_WINDOW_SIZE, 2 ** 31, 'FLOW_CONTROL_ERROR'],
      ['MAX_FRAME_SIZE of 2^14 - 1', MAX_FRAME_SIZE, 2 ** 14 - 1, 'PROTOCOL_ERROR'],
      ['MAX_FRAME_SIZE of 2^24', MAX_FRAME_SIZE, 2 ** 24, 'PROTOCOL_ERROR'],
    ] as const
  ).map(([name, id, value, code]): Case => [name, (peer) => peer.settings([id, value]), ends(code)]),
  ['a table of no size is kept', (peer) => peer.settings([HEADER_TABLE_SIZE, 0]), goesOn],
  ['PRIORITY of four bytes', (peer) => peer.send(ok(), frame(PRIORITY, 0, 1, '1234')), resets('FRAME_SIZE_ERROR')],
  ['WINDOW_UPDATE of 0 for a stream', (peer) => peer.send(ok(), windowUpdate(1, 0)), resets('PROTOCOL_ERROR')],
  [
    'a window of a stream beyond 2^31 - 1',
    (peer) => peer.send(ok(), windowUpdate(1, 2 ** 31 - 1)),
    resets('FLOW_CONTROL_ERROR'),
  ],
];
