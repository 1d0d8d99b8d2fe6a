// States of streams, their numbers and how many there may be (RFC 9113 section 5), and errors of a connection (section 5.4).
import assert from 'node:assert/strict';
import {
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  PING,
  priority,
  priorityFields,
  rstStream,
  SETTINGS,
  WITH_PRIORITY,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { block, headers, indexed, literal } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { alive, anyError, connectionError, streamError } from './outcomes.ts';
import type { Case, Fields, Sections } from './section.ts';

const DUMMY = block([['x-dummy', 'x'.repeat(4_000)]]);

/** A request on stream 1 that is answered whole. */
async function answeredRequest(peer: H2Peer, fields: Fields): Promise<void> {
  peer.headers(1, fields(), END_STREAM);
  await peer.response(1);
}

/** How many streams the server allows at once. */
function allowedStreams(peer: H2Peer): number {
  const said = peer.frames.filter(({ type }) => type === SETTINGS).flatMap(({ settings }) => settings);
  return said.find(([id]) => id === MAX_CONCURRENT_STREAMS)![1];
}

const shut = { settings: [[INITIAL_WINDOW_SIZE, 0]] } as const;

export const STREAMS: Sections = {
  'RFC 9113 section 5.1, idle': [
    ['DATA', (peer) => peer.data(1, 'test', END_STREAM), connectionError('PROTOCOL_ERROR')],
    ['RST_STREAM', (peer) => peer.send(rstStream(1)), connectionError('PROTOCOL_ERROR')],
    ['WINDOW_UPDATE', (peer) => peer.send(windowUpdate(1, 100)), connectionError('PROTOCOL_ERROR')],
    ['CONTINUATION', (peer, fields) => peer.send(continuation(1, block(fields()))), connectionError('PROTOCOL_ERROR')],
    ['DATA on a stream of the server', (peer) => peer.data(2, 'test'), connectionError('PROTOCOL_ERROR')],
    [
      'WINDOW_UPDATE on a stream of the server',
      (peer) => peer.send(windowUpdate(2, 1)),
      connectionError('PROTOCOL_ERROR'),
    ],
  ],

  'RFC 9113 section 5.1, half-closed (remote)': [
    [
      'DATA',
      (peer, fields) => peer.send(headers(1, fields('POST'), END_STREAM), data(1, 'test', END_STREAM)),
      anyError('STREAM_CLOSED'),
    ],
    [
      'HEADERS',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), headers(1, fields(), END_STREAM)),
      anyError('STREAM_CLOSED'),
    ],
    [
      'CONTINUATION',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), continuation(1, block(fields()))),
      connectionError('STREAM_CLOSED', 'PROTOCOL_ERROR'),
    ],
    [
      'DATA behind trailers',
      (peer, fields) =>
        peer.send(headers(1, fields('POST')), headers(1, [['x-test', 'ok']], END_STREAM), data(1, 'test', END_STREAM)),
      anyError('STREAM_CLOSED'),
    ],
  ],

  'RFC 9113 section 5.1, closed': [
    [
      'DATA after RST_STREAM',
      (peer, fields) => peer.send(headers(1, fields('POST')), rstStream(1), data(1, 'test', END_STREAM)),
      streamError('STREAM_CLOSED'),
    ],
    [
      'HEADERS after RST_STREAM',
      (peer, fields) => peer.send(headers(1, fields('POST')), rstStream(1), headers(1, fields(), END_STREAM)),
      streamError('STREAM_CLOSED'),
    ],
    [
      'CONTINUATION after RST_STREAM',
      (peer, fields) => peer.send(headers(1, fields('POST')), rstStream(1), continuation(1, DUMMY)),
      connectionError('STREAM_CLOSED', 'PROTOCOL_ERROR'),
    ],
    [
      'DATA after the end',
      async (peer, fields) => {
        await answeredRequest(peer, fields);
        peer.data(1, 'test', END_STREAM);
      },
      connectionError('STREAM_CLOSED'),
    ],
    [
      'HEADERS after the end',
      async (peer, fields) => {
        await answeredRequest(peer, fields);
        peer.headers(1, fields(), END_STREAM);
      },
      connectionError('STREAM_CLOSED', 'PROTOCOL_ERROR'),
    ],
    [
      'CONTINUATION after the end',
      async (peer, fields) => {
        await answeredRequest(peer, fields);
        peer.send(continuation(1, DUMMY));
      },
      connectionError('STREAM_CLOSED', 'PROTOCOL_ERROR'),
    ],
    [
      'what comes on a stream that the server has reset is passed over',
      async (peer, fields) => {
        peer.headers(1, [...fields('POST'), ['Upper', 'case']]);
        peer.data(1, 'test');
        peer.send(windowUpdate(1, 1), priority(1));
        peer.headers(1, [['x-test', 'ok']], END_STREAM);
        peer.send(rstStream(1));
      },
      streamError('PROTOCOL_ERROR'),
    ],
    [
      'fields on a stream that the server has reset are kept in the table',
      async (peer, fields) => {
        peer.headers(1, [...fields('POST'), ['Upper', 'case']]);
        peer.headers(1, [literal('x-test', 'ok', 'incremental')], END_STREAM);
        peer.headers(3, [...fields(), indexed(62)], END_STREAM);
        assert.equal((await peer.response(3)).status, 200);
      },
      streamError('PROTOCOL_ERROR'),
    ],
  ],

  'RFC 9113 section 5.1.1, numbers': [
    ['that are even', (peer, fields) => peer.headers(2, fields(), END_STREAM), connectionError('PROTOCOL_ERROR')],
    [
      'that are smaller than one before',
      (peer, fields) => peer.send(headers(5, fields(), END_STREAM), headers(3, fields(), END_STREAM)),
      connectionError('PROTOCOL_ERROR', 'STREAM_CLOSED'),
    ],
    [
      'of streams that were passed over are those of closed ones',
      (peer, fields) => peer.send(headers(5, fields(), END_STREAM), windowUpdate(3, 1), rstStream(3), priority(3)),
      alive,
    ],
  ],

  'RFC 9113 section 5.1.2, concurrency': [
    [
      'above the limit is refused, for what is above it only',
      async (peer, fields) => {
        const allowed = allowedStreams(peer);
        for (let i = 0; i <= allowed; i++) peer.headers(2 * i + 1, fields(), END_STREAM);
        const refused = 2 * allowed + 1;
        assert.equal(await peer.resetOf(refused), 'REFUSED_STREAM');
        peer.settings([INITIAL_WINDOW_SIZE, 65_535]);
        for (let i = 0; i < allowed; i++) assert.equal((await peer.response(2 * i + 1)).status, 200);
      },
      alive,
      shut,
    ],
    [
      'counts streams that are open, not those that were',
      async (peer, fields) => {
        const allowed = allowedStreams(peer);
        for (let i = 0; i < 2 * allowed; i++) {
          peer.headers(2 * i + 1, fields(), END_STREAM);
          if (i % 32 === 31) await peer.response(2 * i + 1);
        }
        assert.equal((await peer.response(4 * allowed - 1)).status, 200);
      },
      async (peer) => assert.equal(peer.goaway, null),
    ],
    [
      'above the limit keeps the table of fields right',
      async (peer, fields) => {
        const allowed = allowedStreams(peer);
        for (let i = 0; i < allowed; i++) peer.headers(2 * i + 1, fields(), END_STREAM);
        const refused = 2 * allowed + 1;
        peer.headers(refused, [...fields(), literal('x-test', 'kept', 'incremental')], END_STREAM);
        assert.equal(await peer.resetOf(refused), 'REFUSED_STREAM');
        peer.settings([INITIAL_WINDOW_SIZE, 65_535]);
        await peer.response(1);
        peer.headers(refused + 2, [...fields(), indexed(62)], END_STREAM);
        assert.equal((await peer.response(refused + 2)).status, 200);
      },
      alive,
      shut,
    ],
  ],

  // RFC 9113 section 5.3.2 lets a server ignore priorities; RFC 7540 section 5.3.1 wants this error.
  'RFC 7540 section 5.3.1, dependencies': [
    [
      'HEADERS that depend on themselves',
      (peer, fields) => {
        const payload = Buffer.concat([priorityFields(1, 255), block(fields())]);
        return peer.frame(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, payload);
      },
      streamError('PROTOCOL_ERROR'),
    ],
    [
      'PRIORITY that depends on itself, open',
      (peer, fields) => peer.send(headers(1, fields('POST')), priority(1, 1, 255)),
      streamError('PROTOCOL_ERROR'),
    ],
    [
      'PRIORITY that depends on itself, idle',
      (peer) => peer.send(priority(1, 1, 255)),
      anyError('PROTOCOL_ERROR'),
      { isJudged: false },
    ],
  ],

  'RFC 9113 section 5.4.1, errors of a connection': [
    [
      'GOAWAY comes first, then the end',
      (peer) => peer.frame(PING, 0, 3, '\0'.repeat(8)),
      connectionError('PROTOCOL_ERROR'),
    ],
    [
      'what was open is told of in GOAWAY',
      (peer, fields) => peer.send(headers(1, fields('POST')), headers(3, fields('POST')), windowUpdate(0, 0)),
      async (peer) => assert.ok([1, 3].includes((await peer.gone()).lastStream)),
    ],
    [
      'nothing behind it is looked at',
      (peer, fields) => peer.send(frame(PING, 0, 3, '\0'.repeat(8)), headers(1, fields(), END_STREAM)),
      async (peer) => {
        await peer.end();
        assert.equal(peer.stream(1).fields, null);
      },
    ],
  ] satisfies readonly Case[],
};
