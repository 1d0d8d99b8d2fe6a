// Frames that no peer may send, wrong sizes, places and values: in general, and those of streams (RFC 9113 sections 3.4, 4.1,
// 4.2, 5.5 and 6.1 to 6.4).
import assert from 'node:assert/strict';
import {
  DATA,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  ping,
  priority,
  RST_STREAM,
  rstStream,
  SETTINGS,
  settings,
  settingsAck,
  WITH_PRIORITY,
} from '../../support/h2-frames.ts';
import { block, headers } from '../../support/h2-headers.ts';
import { alive, answered, anyError, closed, connectionError, pong, streamError } from './outcomes.ts';
import type { Sections } from './section.ts';

const UNKNOWN = 0x16;
const raw = { preface: false, settings: null, habits: { acknowledge: false } } as const;
const EIGHT = '\0'.repeat(8);

export const FRAME_ERRORS: Sections = {
  'RFC 9113 section 3.4, preface': [
    [
      'SETTINGS are the first frame that comes',
      (peer) => peer.send(PREFACE, settings([INITIAL_WINDOW_SIZE, 65_535])),
      async (peer) => {
        await peer.until(({ type }) => type === SETTINGS, 'SETTINGS');
        assert.equal(peer.frames[0]?.toString().replace(/\d+$/, ''), 'SETTINGS 0 flags=0 ');
      },
      raw,
    ],
    ['another text is refused', (peer) => peer.send('INVALID CONNECTION PREFACE\r\n\r\n'), closed, raw],
    ['HTTP/1.1 is refused', (peer) => peer.send('GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n'), closed, raw],
    [
      'a text that is wrong in its last byte is refused',
      (peer) => peer.send(PREFACE.subarray(0, 23), 'x', settings()),
      closed,
      raw,
    ],
    ['another frame than SETTINGS is refused', (peer) => peer.send(PREFACE, ping()), closed, raw],
    ['an acknowledgement in their place is refused', (peer) => peer.send(PREFACE, settingsAck()), closed, raw],
    [
      'a preface that comes byte by byte is one',
      async (peer, fields) => {
        for (const byte of Buffer.concat([PREFACE, settings(), settingsAck()])) await peer.send([byte]);
        peer.headers(1, fields(), END_STREAM);
      },
      answered(),
      raw,
    ],
    [
      'a request right behind the preface is answered',
      (peer, fields) => peer.send(PREFACE, settings(), headers(1, fields(), END_STREAM)),
      answered(),
      raw,
    ],
  ],

  'RFC 9113 sections 4.1 and 5.5, what is unknown': [
    ['a frame of unknown type is ignored', (peer) => peer.frame(UNKNOWN, 0, 0, EIGHT), alive],
    ['and with flags, on an idle stream', (peer) => peer.frame(UNKNOWN, 0xff, 77, EIGHT), alive],
    [
      'and on an open stream',
      (peer, fields) => peer.send(headers(1, fields()), frame(UNKNOWN, 1, 1, EIGHT), data(1, '', END_STREAM)),
      answered(),
    ],
    [
      'and in the middle of a header block is refused',
      (peer, fields) => peer.send(frame(HEADERS, END_STREAM, 1, block(fields())), frame(UNKNOWN, 0, 0, EIGHT)),
      connectionError('PROTOCOL_ERROR'),
    ],
    ['undefined flags are ignored', (peer) => peer.frame(PING, 0x16, 0, EIGHT), pong(EIGHT)],
    ['the reserved bit is ignored', (peer) => peer.frame(PING, 0x16, 2 ** 31, EIGHT), pong(EIGHT)],
    [
      'and of a stream, too',
      (peer, fields) => peer.frame(HEADERS, END_HEADERS | END_STREAM, 2 ** 31 + 1, block(fields())),
      answered(),
    ],
    ['an unknown setting is ignored', (peer) => peer.settings([0xff, 1], [0, 2 ** 32 - 1]), alive],
  ],

  'RFC 9113 section 4.2, frame size': [
    [
      'DATA of 2^14 bytes are taken',
      (peer, fields) => peer.send(headers(1, fields('POST')), data(1, 'x'.repeat(16_384), END_STREAM)),
      answered(),
    ],
    [
      'DATA beyond SETTINGS_MAX_FRAME_SIZE',
      (peer, fields) => peer.send(headers(1, fields('POST')), data(1, 'x'.repeat(16_385), END_STREAM)),
      anyError('FRAME_SIZE_ERROR'),
    ],
    [
      'HEADERS beyond it',
      (peer, fields) => {
        const long = [1, 2, 3, 4, 5].map((i) => [`x-dummy${i}`, 'x'.repeat(4_000)] as const);
        return peer.headers(1, [...fields(), ...long], END_STREAM, 30_000);
      },
      connectionError('FRAME_SIZE_ERROR'),
    ],
    [
      'SETTINGS beyond it',
      (peer) => peer.frame(SETTINGS, 0, 0, '\0'.repeat(16_386)),
      connectionError('FRAME_SIZE_ERROR'),
    ],
    [
      'an unknown frame beyond it',
      (peer) => peer.frame(UNKNOWN, 0, 0, '', 2 ** 24 - 1),
      connectionError('FRAME_SIZE_ERROR'),
    ],
  ],

  'RFC 9113 section 6.1, DATA': [
    ['on stream 0', (peer) => peer.data(0, 'test', END_STREAM), connectionError('PROTOCOL_ERROR')],
    [
      'with padding longer than what is left',
      (peer, fields) =>
        peer.send(
          headers(1, fields('POST', [['content-length', '4']])),
          frame(DATA, PADDED | END_STREAM, 1, '\x06Test'),
        ),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'with padding as long as all that is left and the length of padding',
      (peer, fields) => peer.send(headers(1, fields('POST')), frame(DATA, PADDED | END_STREAM, 1, '\x05Test')),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'that say they have padding and are empty',
      (peer, fields) => peer.send(headers(1, fields('POST')), frame(DATA, PADDED | END_STREAM, 1)),
      connectionError('FRAME_SIZE_ERROR'),
    ],
  ],

  'RFC 9113 section 6.2, HEADERS': [
    ['on stream 0', (peer, fields) => peer.headers(0, fields(), END_STREAM), connectionError('PROTOCOL_ERROR')],
    [
      'with padding longer than what is left',
      (peer, fields) => {
        const whole = block(fields());
        return peer.frame(
          HEADERS,
          END_STREAM | END_HEADERS | PADDED,
          1,
          Buffer.concat([Buffer.from([whole.length + 1]), whole]),
        );
      },
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'with priority and padding longer than what is left',
      (peer) => peer.frame(HEADERS, END_HEADERS | PADDED | WITH_PRIORITY, 1, [6, 0, 0, 0, 0, 0, 0x82]),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'too short for the priority that it says it has',
      (peer) => peer.frame(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, [0, 0, 0, 0]),
      connectionError('FRAME_SIZE_ERROR'),
    ],
    [
      'that say they have padding and are empty',
      (peer) => peer.frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1),
      connectionError('FRAME_SIZE_ERROR'),
    ],
  ],

  'RFC 9113 section 6.3, PRIORITY': [
    ['on stream 0', (peer) => peer.send(priority(0)), connectionError('PROTOCOL_ERROR')],
    [
      'of four bytes',
      (peer, fields) => peer.send(headers(1, fields('POST')), frame(PRIORITY, 0, 1, [0x80, 0, 0, 1])),
      streamError('FRAME_SIZE_ERROR'),
    ],
  ],

  'RFC 9113 section 6.4, RST_STREAM': [
    ['on stream 0', (peer) => peer.send(rstStream(0)), connectionError('PROTOCOL_ERROR')],
    ['on an idle stream', (peer) => peer.send(rstStream(1)), connectionError('PROTOCOL_ERROR')],
    [
      'of three bytes',
      (peer, fields) => peer.send(headers(1, fields('POST')), frame(RST_STREAM, 0, 1, [0, 0, 0])),
      connectionError('FRAME_SIZE_ERROR'),
    ],
    [
      'of five bytes',
      (peer, fields) => peer.send(headers(1, fields('POST')), frame(RST_STREAM, 0, 1, [0, 0, 0, 8, 0])),
      connectionError('FRAME_SIZE_ERROR'),
    ],
    ['with an unknown code is one', (peer, fields) => peer.send(headers(1, fields('POST')), rstStream(1, 0xff)), alive],
  ],
};
