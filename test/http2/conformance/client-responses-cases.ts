// Responses to the HTTP/2 client, well-formed and malformed (RFC 9113 section 8).
import assert from 'node:assert/strict';
import { data, END_STREAM, frame, PADDED, padded } from '../../support/h2-frames.ts';
import { type FieldPair, headers, indexed, literal } from '../../support/h2-headers.ts';
import { type Case, resets, takes } from './client-outcomes.ts';

const OK: readonly FieldPair[] = [[':status', '200']];
const ok = (flags = 0, more: readonly FieldPair[] = []): Buffer => headers(1, [...OK, ...more], flags);

export const RESPONSES: readonly Case[] = [
  ['a response without content', (peer) => peer.send(ok(END_STREAM)), takes({})],
  ['content', (peer) => peer.send(ok(), data(1, 'ab'), data(1, 'c', END_STREAM)), takes({ body: 'abc' })],
  [
    'padded content',
    (peer) => peer.send(ok(), frame(0, PADDED | END_STREAM, 1, padded('abc', 9))),
    takes({ body: 'abc' }),
  ],
  [
    'trailers',
    (peer) => peer.send(ok(), data(1, 'abc'), headers(1, [['x-sum', '7']], END_STREAM)),
    takes({ body: 'abc', trailers: ['x-sum', '7'] }),
  ],
  [
    '103 before it',
    (peer) => peer.send(headers(1, [[':status', '103']]), ok(END_STREAM)),
    takes({ informational: [103] }),
  ],
  [
    'a length without content, of HEAD',
    (peer) => peer.send(ok(END_STREAM, [['content-length', '9']])),
    takes({}),
    'HEAD',
  ],
  [
    '304 with a length',
    (peer) =>
      peer.headers(
        1,
        [
          [':status', '304'],
          ['content-length', '9'],
        ],
        END_STREAM,
      ),
    takes({ status: 304 }),
  ],
  [
    'fields of the table in a second response',
    async (peer) => {
      peer.headers(1, [literal(':status', '202', 'incremental')], END_STREAM);
    },
    async ({ peer, ask }, asked) => {
      await asked.over;
      const second = ask();
      await peer.head(3);
      peer.headers(3, [indexed(62)], END_STREAM);
      await second.over;
      assert.deepEqual([asked.status, second.status], [202, 202]);
    },
  ],
  [
    'content of HEAD, which is malformed',
    (peer) => peer.send(ok(), data(1, 'x', END_STREAM)),
    resets('PROTOCOL_ERROR'),
    'HEAD',
  ],
  [
    'a second head behind the end, while the request goes on',
    (peer) => peer.send(ok(END_STREAM), ok(END_STREAM)),
    async (rig) => assert.equal(await rig.peer.resetOf(1), 'STREAM_CLOSED'),
    'POST',
  ],
  [
    'DATA behind the end, while the request goes on',
    (peer) => peer.send(ok(END_STREAM), data(1, 'x')),
    async (rig) => assert.equal(await rig.peer.resetOf(1), 'STREAM_CLOSED'),
    'POST',
  ],
];

export const MALFORMED: readonly Case[] = (
  [
    ['no :status', headers(1, [['x-test', 'ok']], END_STREAM)],
    ['an empty block', headers(1, [], END_STREAM)],
    ['two :status', headers(1, [...OK, ...OK], END_STREAM)],
    [':status behind a field', headers(1, [['x-test', 'ok'], ...OK], END_STREAM)],
    ...['', '20', '2000', 'abc', '2x0', '+20', '099', '600', '101', '200 OK'].map(
      (status) => [`:status ${JSON.stringify(status)}`, headers(1, [[':status', status]], END_STREAM)] as const,
    ),
    ['a pseudo-field of requests', ok(END_STREAM, [[':path', '/']])],
    ['an unknown pseudo-field', headers(1, [...OK, [':test', 'ok']], END_STREAM)],
    ['an upper-case name', ok(END_STREAM, [['X-Test', 'ok']])],
    ['an empty name', ok(END_STREAM, [['', 'ok']])],
    ['line ends in a value', ok(END_STREAM, [['x-test', 'a\r\nb: c']])],
    ['NUL in a value', ok(END_STREAM, [['x-test', 'a\0b']])],
    ['a blank before a value', ok(END_STREAM, [['x-test', ' a']])],
    ['connection', ok(END_STREAM, [['connection', 'close']])],
    ['transfer-encoding', ok(END_STREAM, [['transfer-encoding', 'chunked']])],
    ['upgrade', ok(END_STREAM, [['upgrade', 'h2c']])],
    ['103 that ends', headers(1, [[':status', '103']], END_STREAM)],
    ['an end before a head', data(1, '', END_STREAM)],
    ['content of 204', Buffer.concat([headers(1, [[':status', '204']]), data(1, 'x', END_STREAM)])],
    ['DATA before a head', data(1, 'x', END_STREAM)],
    ['DATA behind 103 only', Buffer.concat([headers(1, [[':status', '103']]), data(1, 'x')])],
    ['more content than its length', Buffer.concat([ok(0, [['content-length', '1']]), data(1, 'xx', END_STREAM)])],
    ['less content than its length', Buffer.concat([ok(0, [['content-length', '3']]), data(1, 'xx', END_STREAM)])],
    ['a length without content', ok(END_STREAM, [['content-length', '3']])],
    [
      'two lengths',
      ok(END_STREAM, [
        ['content-length', '0'],
        ['content-length', '3'],
      ]),
    ],
    ['a length that is none', ok(0, [['content-length', '0x3']])],
    ['a second head', Buffer.concat([ok(), data(1, 'x'), ok(END_STREAM)])],
    ['trailers that do not end', Buffer.concat([ok(), data(1, 'x'), headers(1, [['x-sum', '7']])])],
    ['a trailer with line ends', Buffer.concat([ok(), headers(1, [['x-sum', '7\r\nb: c']], END_STREAM)])],
  ] as const
).map(([name, bytes]) => [name, (peer) => peer.send(bytes), resets('PROTOCOL_ERROR')]);
