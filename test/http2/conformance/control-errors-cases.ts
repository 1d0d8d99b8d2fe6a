// Frames that no peer may send, wrong sizes, places and values: those of the connection, and header blocks (RFC 9113 sections
// 6.5 to 6.10, RFC 9218 section 7.1).
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
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PING,
  PUSH_PROMISE,
  ping,
  priority,
  rstStream,
  SETTINGS,
  settings,
  uint32,
  WINDOW_UPDATE,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { block, headers } from '../../support/h2-headers.ts';
import { alive, answered, connectionError, pong, streamError } from './outcomes.ts';
import type { Case, Sections } from './section.ts';

const PRIORITY_UPDATE = 0x10;
const EIGHT = '\0'.repeat(8);
const DUMMY = block([['x-dummy', 'x'.repeat(4_000)]]);

export const CONTROL_ERRORS: Sections = {
  'RFC 9113 section 6.5, SETTINGS': [
    [
      'an acknowledgement with a payload',
      (peer) => peer.frame(SETTINGS, ACK, 0, [0]),
      connectionError('FRAME_SIZE_ERROR'),
    ],
    [
      'on another stream than 0',
      (peer) => peer.frame(SETTINGS, 0, 1, [0, 3, 0, 0, 0, 100]),
      connectionError('PROTOCOL_ERROR'),
    ],
    ['of three bytes', (peer) => peer.frame(SETTINGS, 0, 0, [0, 3, 0]), connectionError('FRAME_SIZE_ERROR')],
    ...(
      [
        ['ENABLE_PUSH of 2', ENABLE_PUSH, 2, 'PROTOCOL_ERROR'],
        ['INITIAL_WINDOW_SIZE of 2^31', INITIAL_WINDOW_SIZE, 2 ** 31, 'FLOW_CONTROL_ERROR'],
        ['MAX_FRAME_SIZE of 2^14 - 1', MAX_FRAME_SIZE, 2 ** 14 - 1, 'PROTOCOL_ERROR'],
        ['MAX_FRAME_SIZE of 2^24', MAX_FRAME_SIZE, 2 ** 24, 'PROTOCOL_ERROR'],
        ['NO_RFC7540_PRIORITIES of 2 (RFC 9218 section 2.1)', 9, 2, 'PROTOCOL_ERROR'],
      ] as const
    ).map(([name, id, value, code]): Case => [name, (peer) => peer.settings([id, value]), connectionError(code)]),
    [
      'are acknowledged',
      (peer) => peer.settings([ENABLE_PUSH, 0]),
      async (peer) => {
        const acknowledged = () => peer.frames.filter(({ type, flags }) => type === SETTINGS && flags === ACK).length;
        await peer.when(() => acknowledged() === 2, 'the second acknowledgement');
      },
    ],
  ],

  'RFC 9113 sections 6.6 and 8.4, PUSH_PROMISE': [
    [
      'on an idle stream',
      (peer, fields) => peer.frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(3), block(fields())])),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'on an open stream',
      (peer, fields) => {
        const promise = Buffer.concat([uint32(2), block(fields())]);
        return peer.send(headers(1, fields('POST')), frame(PUSH_PROMISE, END_HEADERS, 1, promise));
      },
      connectionError('PROTOCOL_ERROR'),
    ],
  ],

  'RFC 9113 section 6.7, PING': [
    ['is answered with its payload', (peer) => peer.send(ping('h2spec\0\0')), pong('h2spec\0\0')],
    [
      'of an answer is not answered',
      (peer) => peer.send(ping('invalid\0', ACK), ping('h2spec\0\0')),
      pong('h2spec\0\0'),
    ],
    ['on another stream than 0', (peer) => peer.frame(PING, 0, 3, EIGHT), connectionError('PROTOCOL_ERROR')],
    ['of six bytes', (peer) => peer.frame(PING, 0, 0, '123456'), connectionError('FRAME_SIZE_ERROR')],
    [
      'of an answer of nine bytes',
      (peer) => peer.frame(PING, ACK, 0, '123456789'),
      connectionError('FRAME_SIZE_ERROR'),
    ],
  ],

  'RFC 9113 section 6.8, GOAWAY': [
    ['on another stream than 0', (peer) => peer.frame(GOAWAY, 0, 1, EIGHT), connectionError('PROTOCOL_ERROR')],
    ['of seven bytes', (peer) => peer.frame(GOAWAY, 0, 0, '\0'.repeat(7)), connectionError('FRAME_SIZE_ERROR')],
    [
      'with an unknown code lets open streams end',
      (peer, fields) => peer.send(headers(1, fields('POST')), goAway(0, 0xff), data(1, '', END_STREAM)),
      async (peer) => assert.equal((await peer.response(1)).status, 200),
    ],
  ],

  'RFC 9113 section 6.9, WINDOW_UPDATE': [
    ['of 0 for the connection', (peer) => peer.send(windowUpdate(0, 0)), connectionError('PROTOCOL_ERROR')],
    [
      'of 0 for a stream',
      (peer, fields) => peer.send(headers(1, fields('POST'))).then(() => peer.send(windowUpdate(1, 0))),
      streamError('PROTOCOL_ERROR'),
    ],
    ['of three bytes', (peer) => peer.frame(WINDOW_UPDATE, 0, 0, [0, 0, 1]), connectionError('FRAME_SIZE_ERROR')],
    [
      'of five bytes on a stream',
      (peer, fields) => peer.send(headers(1, fields('POST')), frame(WINDOW_UPDATE, 0, 1, [0, 0, 0, 1, 0])),
      connectionError('FRAME_SIZE_ERROR'),
    ],
  ],

  'RFC 9113 sections 4.3 and 6.10, CONTINUATION': [
    [
      'that are several',
      (peer, fields) =>
        peer.send(
          frame(HEADERS, END_STREAM, 1, block(fields())),
          continuation(1, DUMMY, 0),
          continuation(1, block([['x-dummy2', 'x']])),
        ),
      answered(),
    ],
    ...(
      [
        ['PRIORITY', priority(1, 0, 255)],
        ['PRIORITY of another stream', priority(3, 0, 255)],
        ['DATA', data(1, 'test', END_STREAM)],
        ['HEADERS of another stream', headers(3, [[':method', 'GET']], END_STREAM)],
        ['CONTINUATION of another stream', continuation(3, DUMMY)],
        ['CONTINUATION of stream 0', continuation(0, DUMMY)],
        ['RST_STREAM', rstStream(1)],
        ['SETTINGS', settings()],
        ['PING', ping()],
        ['WINDOW_UPDATE', windowUpdate(0, 1)],
        ['GOAWAY', goAway()],
      ] as const
    ).flatMap(([name, between]): Case[] => [
      [
        `HEADERS, and ${name} before the block is whole`,
        (peer, fields) => peer.send(frame(HEADERS, 0, 1, block(fields('POST'))), between, continuation(1, DUMMY)),
        connectionError('PROTOCOL_ERROR'),
      ],
      [
        `HEADERS, CONTINUATION, and ${name} before the block is whole`,
        (peer, fields) =>
          peer.send(
            frame(HEADERS, 0, 1, block(fields('POST'))),
            continuation(1, DUMMY, 0),
            between,
            continuation(1, ''),
          ),
        connectionError('PROTOCOL_ERROR'),
      ],
    ]),
    [
      'HEADERS, and DATA of an open stream before the block is whole',
      (peer, fields) =>
        peer.send(
          headers(1, fields('POST')),
          frame(HEADERS, 0, 3, block(fields())),
          data(1, 'test'),
          continuation(3, DUMMY),
        ),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'behind HEADERS with END_HEADERS',
      (peer, fields) => peer.send(headers(1, fields('POST')), continuation(1, DUMMY)),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'behind CONTINUATION with END_HEADERS',
      (peer, fields) =>
        peer.send(frame(HEADERS, 0, 1, block(fields('POST'))), continuation(1, DUMMY), continuation(1, DUMMY)),
      connectionError('PROTOCOL_ERROR'),
    ],
    ['on an idle stream', (peer) => peer.send(continuation(1, DUMMY)), connectionError('PROTOCOL_ERROR')],
    ['on stream 0', (peer) => peer.frame(CONTINUATION, END_HEADERS, 0), connectionError('PROTOCOL_ERROR')],
  ],

  'RFC 9218 section 7.1, PRIORITY_UPDATE': [
    [
      'of an idle stream is taken',
      (peer) => peer.frame(PRIORITY_UPDATE, 0, 0, `${uint32(1).toString('latin1')}u=1, i`),
      alive,
    ],
    [
      'that can not be read is ignored',
      (peer) => peer.frame(PRIORITY_UPDATE, 0, 0, `${uint32(1).toString('latin1')}\0u=?1`),
      alive,
    ],
    [
      'on another stream than 0',
      (peer) => peer.frame(PRIORITY_UPDATE, 0, 1, uint32(1)),
      connectionError('PROTOCOL_ERROR'),
    ],
    ['for stream 0', (peer) => peer.frame(PRIORITY_UPDATE, 0, 0, uint32(0)), connectionError('PROTOCOL_ERROR')],
    ['of three bytes', (peer) => peer.frame(PRIORITY_UPDATE, 0, 0, '\0\0\0'), connectionError('FRAME_SIZE_ERROR')],
  ],
};
