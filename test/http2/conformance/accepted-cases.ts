// What a server has to accept: the frames, states and representations that clients use.
import assert from 'node:assert/strict';
import {
  ACK,
  DATA,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  goAway,
  HEADER_TABLE_SIZE,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  MAX_HEADER_LIST_SIZE,
  PADDED,
  padded,
  ping,
  priority,
  priorityFields,
  rstStream,
  SETTINGS,
  WITH_PRIORITY,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { block, headers, indexed, literal, tableSize } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { alive, aliveOrGone, answered, pong } from './outcomes.ts';
import type { Case, Fields, Outcome, Sections } from './section.ts';
import { BODY } from './subject.ts';

const shut = { settings: [[INITIAL_WINDOW_SIZE, 0]], habits: { returnWindow: false } } as const;

const firstByte: Outcome = async (peer) => {
  const { payload } = await peer.until(({ type }) => type === DATA, 'DATA');
  assert.equal(payload.toString('latin1'), BODY.slice(0, 1));
};

/** HEADERS on stream 1 with these representations behind the usual fields. */
const withFields =
  (...more: readonly Buffer[]) =>
  (peer: H2Peer, fields: Fields) =>
    peer.headers(1, [...fields(), ...more], END_STREAM);

const FORMS = (['incremental', 'without', 'never'] as const).flatMap((how) =>
  (['plain', 'huffman'] as const).flatMap((coding): Case[] => [
    [`a field ${how} indexing, known name, ${coding}`, withFields(literal(58, 'h2', how, coding)), answered()],
    [`a field ${how} indexing, new name, ${coding}`, withFields(literal('x-test', 'h2', how, coding)), answered()],
  ]),
);

export const ACCEPTED: Sections = {
  'RFC 9113 section 5.1, streams': [
    ['a PRIORITY frame on an idle stream', (peer) => peer.send(priority(1, 0, 255)), alive],
    [
      'a WINDOW_UPDATE frame on a half-closed stream',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), windowUpdate(1, 1)),
      firstByte,
      shut,
    ],
    [
      'a PRIORITY frame on a half-closed stream',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), priority(1), windowUpdate(1, 1)),
      firstByte,
      shut,
    ],
    [
      'a RST_STREAM frame on a half-closed stream',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), rstStream(1)),
      alive,
    ],
    [
      'PRIORITY, WINDOW_UPDATE and RST_STREAM on a closed stream',
      async (peer, fields) => {
        peer.headers(1, fields(), END_STREAM);
        await peer.response(1);
        peer.send(priority(1), windowUpdate(1, 1), rstStream(1));
      },
      async (peer, fields) => {
        await alive(peer, fields);
        assert.equal(peer.rst(1), null); // RFC 9113 section 5.4.2: never in answer to one
      },
    ],
  ],

  'RFC 9113 section 6, frames': [
    [
      'DATA',
      (peer, fields) => peer.send(headers(1, fields('POST'))).then(() => peer.data(1, 'test', END_STREAM)),
      answered(),
    ],
    [
      'several DATA',
      (peer, fields) => {
        peer.headers(1, fields('POST'));
        peer.data(1, 'test');
        peer.data(1, 'test', END_STREAM);
      },
      answered(),
    ],
    [
      'DATA with padding',
      (peer, fields) => {
        peer.headers(1, fields('POST'));
        peer.frame(DATA, PADDED, 1, padded('test', 5));
        peer.frame(DATA, PADDED | END_STREAM, 1, padded('', 255));
      },
      answered(),
    ],
    ['HEADERS', (peer, fields) => peer.headers(1, fields(), END_STREAM), answered()],
    [
      'HEADERS with padding',
      (peer, fields) => peer.frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, padded(block(fields()), 8)),
      answered(),
    ],
    [
      'HEADERS with priority',
      (peer, fields) => {
        const payload = Buffer.concat([priorityFields(0, 255), block(fields())]);
        return peer.frame(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, payload);
      },
      answered(),
    ],
    [
      'HEADERS with padding and priority',
      (peer, fields) => {
        const payload = padded(Buffer.concat([priorityFields(3, 0, true), block(fields())]), 255);
        return peer.frame(HEADERS, END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY, 1, payload);
      },
      answered(),
    ],
    ...(
      [
        ['weight 1', 1, 0, 0, false],
        ['weight 256', 1, 0, 255, false],
        ['a dependency', 3, 1, 0, false],
        ['the exclusive flag', 1, 0, 0, true],
        ['a higher idle stream', 5, 0, 255, false],
      ] as const
    ).map(
      ([what, stream, on, weight, exclusive]): Case => [
        `PRIORITY with ${what}`,
        (peer, fields) => peer.send(priority(stream, on, weight, exclusive), headers(1, fields(), END_STREAM)),
        answered(),
      ],
    ),
    ['RST_STREAM on an open stream', (peer, fields) => peer.send(headers(1, fields()), rstStream(1)), alive],
    [
      'SETTINGS with all settings',
      (peer) =>
        peer.settings(
          [HEADER_TABLE_SIZE, 4_096],
          [ENABLE_PUSH, 1],
          [MAX_CONCURRENT_STREAMS, 100],
          [INITIAL_WINDOW_SIZE, 65_535],
          [MAX_FRAME_SIZE, 16_384],
          [MAX_HEADER_LIST_SIZE, 100],
        ),
      async (peer) => {
        const acknowledged = () => peer.frames.filter(({ type, flags }) => type === SETTINGS && flags === ACK).length;
        await peer.when(() => acknowledged() === 2, 'two acknowledgements');
      },
    ],
    ['PING', (peer) => peer.send(ping('h2spec\0\0')), pong('h2spec\0\0')],
    ['GOAWAY', (peer) => peer.send(goAway(0, 'NO_ERROR', 'h2spec')), aliveOrGone],
    [
      'GOAWAY while a stream is open',
      (peer, fields) => peer.send(headers(1, fields('POST')), goAway()).then(() => peer.data(1, 'x', END_STREAM)),
      async (peer) => assert.equal((await peer.response(1)).status, 200),
    ],
    ['WINDOW_UPDATE of the connection', (peer) => peer.send(windowUpdate(0, 1)), alive],
    [
      'WINDOW_UPDATE of a stream',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), windowUpdate(1, 1)),
      answered(),
    ],
    ['CONTINUATION', (peer, fields) => peer.headers(1, fields(), END_STREAM, 60), answered()],
    ['several CONTINUATION', (peer, fields) => peer.headers(1, fields(), END_STREAM, 5), answered()],
    [
      'empty HEADERS and CONTINUATION',
      (peer, fields) => {
        peer.frame(HEADERS, END_STREAM, 1);
        peer.frame(9, 0, 1);
        peer.frame(9, END_HEADERS, 1, block(fields()));
      },
      answered(),
    ],
  ],

  'RFC 9113 section 8, messages': [
    ['a GET request', (peer, fields) => peer.headers(1, fields(), END_STREAM), answered()],
    [
      'a HEAD request',
      (peer, fields) => peer.headers(1, fields('HEAD'), END_STREAM),
      async (peer, fields) => {
        assert.equal((await peer.response(1)).body, '');
        await answered()(peer, fields);
      },
    ],
    [
      'a POST request',
      (peer, fields) => peer.headers(1, fields('POST')).then(() => peer.data(1, 'test', END_STREAM)),
      answered(),
    ],
    [
      'a POST request with its length',
      (peer, fields) => peer.headers(1, fields('POST', [['content-length', '4']])).then(() => peer.data(1, 'test', 1)),
      answered(),
    ],
    [
      'a POST request with trailers',
      (peer, fields) => {
        peer.headers(1, fields('POST', [['trailer', 'x-test']]));
        peer.data(1, 'test');
        peer.headers(1, [['x-test', 'ok']], END_STREAM);
      },
      answered(),
    ],
    [
      'a POST request with trailers and no content',
      (peer, fields) => peer.headers(1, fields('POST')).then(() => peer.headers(1, [['x-test', 'ok']], END_STREAM)),
      answered(),
    ],
    [
      'a GET request whose end comes in an empty DATA frame',
      (peer, fields) => peer.headers(1, fields()).then(() => peer.data(1, '', END_STREAM)),
      answered(),
    ],
    [
      'the highest stream',
      (peer, fields) => peer.headers(2 ** 31 - 1, fields(), END_STREAM),
      async (peer) => {
        assert.equal((await peer.response(2 ** 31 - 1)).status, 200);
      },
    ],
  ],

  'RFC 7541, header fields': [
    ['an indexed field', withFields(indexed(58)), answered()],
    ...FORMS,
    ['a table size update', (peer, fields) => peer.headers(1, [tableSize(0), ...fields()], END_STREAM), answered()],
    [
      'two table size updates',
      (peer, fields) => peer.headers(1, [tableSize(0), tableSize(4_096), ...fields()], END_STREAM),
      answered(),
    ],
    [
      'fields of the dynamic table in later requests and trailers',
      async (peer, fields) => {
        peer.headers(1, [...fields('POST'), literal('x-test', 'first', 'incremental')]);
        peer.headers(1, [indexed(62)], END_STREAM);
        peer.headers(3, [...fields(), indexed(62), literal(62, 'second', 'incremental'), indexed(63)], END_STREAM);
        await peer.response(1);
      },
      answered(3),
    ],
    [
      'a field larger than the table, which empties it',
      async (peer, fields) => {
        peer.headers(1, [...fields(), literal('x-test', 'a', 'incremental')], END_STREAM);
        peer.headers(3, [...fields(), literal('x-large', 'a'.repeat(5_000), 'incremental')], END_STREAM);
        peer.headers(5, [...fields(), literal('x-test', 'b', 'incremental'), indexed(62)], END_STREAM);
        await peer.response(5);
      },
      answered(3),
    ],
  ],
};
