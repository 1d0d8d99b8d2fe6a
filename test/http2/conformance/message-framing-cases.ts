// How a request is made of frames, and what content-length promises (RFC 9113 sections 8.1 and 8.1.1).
import assert from 'node:assert/strict';
import { data, END_STREAM } from '../../support/h2-frames.ts';
import { headers } from '../../support/h2-headers.ts';
import { answered, anyError, refused, streamError } from './outcomes.ts';
import type { Case, Sections } from './section.ts';
import { BODY } from './subject.ts';

const malformed = streamError('PROTOCOL_ERROR');

export const MESSAGE_FRAMING: Sections = {
  'RFC 9113 section 8.1, message framing': [
    [
      'a second HEADERS without END_STREAM',
      (peer, fields) => peer.send(headers(1, fields('POST')), data(1, 'test'), headers(1, [['x-test', 'ok']])),
      malformed,
    ],
    [
      'trailers and then DATA',
      (peer, fields) =>
        peer.send(
          headers(1, fields('POST')),
          data(1, 'test'),
          headers(1, [['x-test', 'ok']], END_STREAM),
          data(1, 'x'),
        ),
      anyError('STREAM_CLOSED'),
    ],
    [
      'a pseudo-field in trailers',
      (peer, fields) =>
        peer.send(headers(1, fields('POST')), data(1, 'test'), headers(1, [[':method', 'POST']], END_STREAM)),
      malformed,
    ],
    [
      'trailers with a pseudo-field that do not end the stream',
      (peer, fields) => peer.send(headers(1, fields('POST')), data(1, 'test'), headers(1, [[':method', 'POST']])),
      malformed,
    ],
    [
      'a field of the connection in trailers',
      (peer, fields) => peer.send(headers(1, fields('POST')), headers(1, [['connection', 'close']], END_STREAM)),
      malformed,
    ],
    [
      'an upper-case name in trailers',
      (peer, fields) => peer.send(headers(1, fields('POST')), headers(1, [['X-Test', 'ok']], END_STREAM)),
      malformed,
    ],
  ],

  'RFC 9113 section 8.1, an answer before the end of its request': [
    [
      'leaves the stream open for a little',
      async (peer, fields) => {
        peer.headers(1, fields('POST'));
        await peer.response(1);
        peer.data(1, 'x'.repeat(10_000));
        await peer.roundTrip();
        assert.equal(peer.rst(1), null);
        peer.headers(1, [['x-test', 'ok']], END_STREAM);
      },
      answered(),
      {},
      'respond',
    ],
    [
      'is followed by RST_STREAM when much comes',
      async (peer, fields) => {
        peer.headers(1, fields('POST'));
        await peer.response(1);
        peer.send(data(1, 'x'.repeat(10_000)), data(1, 'x'.repeat(10_000)));
      },
      async (peer, fields) => {
        await streamError('NO_ERROR')(peer, fields);
        assert.equal(peer.stream(1).body, BODY);
      },
      {},
      'respond',
    ],
  ],

  'RFC 9113 section 8.1.1, content-length': [
    ...(
      [
        ['DATA is longer', '1', ['test']],
        ['DATA is shorter', '5', ['test']],
        ['several DATA are longer', '5', ['test', 'test']],
        ['several DATA are shorter', '9', ['test', 'test']],
        ['it is 0', '0', ['test']],
        ['there is none', '4', ['']],
      ] as const
    ).map(
      ([name, length, content]): Case => [
        `is not what comes: ${name}`,
        (peer, fields) => {
          const all = content.map((piece, i) => data(1, piece, i === content.length - 1 ? END_STREAM : 0));
          return peer.send(headers(1, fields('POST', [['content-length', length]])), ...all);
        },
        malformed,
      ],
    ),
    [
      'is not what comes: trailers come before it has',
      (peer, fields) =>
        peer.send(
          headers(1, fields('POST', [['content-length', '5']])),
          data(1, 'test'),
          headers(1, [['x-test', 'ok']], END_STREAM),
        ),
      malformed,
    ],
    [
      'is not what comes: HEADERS end the stream',
      (peer, fields) => peer.headers(1, fields('GET', [['content-length', '4']]), END_STREAM),
      malformed,
    ],
    [
      'of 0 and no content',
      (peer, fields) => peer.headers(1, fields('GET', [['content-length', '0']]), END_STREAM),
      answered(),
    ],
    ...['', '+4', '-1', '4, 4', '0x4', '4.0', '1e1', '99999999999999999999'].map(
      (value): Case => [
        `of ${JSON.stringify(value)}`,
        (peer, fields) =>
          peer.send(headers(1, fields('POST', [['content-length', value]])), data(1, 'test', END_STREAM)),
        refused(),
      ],
    ),
    [
      'said twice, differently',
      (peer, fields) =>
        peer.send(
          headers(
            1,
            fields('POST', [
              ['content-length', '5'],
              ['content-length', '4'],
            ]),
          ),
          data(1, 'test', END_STREAM),
        ),
      refused(),
    ],
  ],
};
