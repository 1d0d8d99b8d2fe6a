// Names and values of fields (RFC 9113 section 8.2): what no field may be, and what HTTP/1.1 behind us could not carry.
import assert from 'node:assert/strict';
import { END_STREAM } from '../../support/h2-frames.ts';
import { type FieldPair, headers, literal } from '../../support/h2-headers.ts';
import { answered, refused, streamError } from './outcomes.ts';
import type { Case, Sections } from './section.ts';

const malformed = streamError('PROTOCOL_ERROR');

const field =
  (name: string, value: string): Case[1] =>
  (peer, fields) =>
    peer.headers(1, [...fields(), [name, value]], END_STREAM);

/** In each representation: the check must not depend on how a field came, nor on whether a table holds it. */
const inEachForm = ([name, value]: FieldPair): Case[] =>
  (['without', 'incremental', 'never'] as const).map(
    (how): Case => [
      `${JSON.stringify(name)}: ${JSON.stringify(value)}, ${how} indexing`,
      (peer, fields) => peer.headers(1, [...fields(), literal(name, value, how, 'huffman')], END_STREAM),
      malformed,
    ],
  );

const NAMES = [
  '',
  ' ',
  'a b',
  ' a',
  'a ',
  'a:',
  'a:b',
  'a\0',
  'a\r',
  'a\n',
  'a\r\nb',
  'a\t',
  'a\x7f',
  'a\x80',
  'é',
  '"a"',
  'a(b)',
  'a/b',
  'a@b',
  'a[b]',
  'a{b}',
  'a\\',
  'a,b',
  'a;b',
  'a=b',
  'a?b',
  'a<b>',
];
const VALUES = ['\0', 'a\0b', '\r', 'a\rb', '\n', 'a\nb', 'a\r\nb: c', ' a', 'a ', '\ta', 'a\t', ' ', '\t', 'a\r\n b'];
/** RFC 9110 section 5.5: invalid, though RFC 9113 leaves what to do about them open. */
const CONTROLS = ['a\x01b', 'a\x0bb', 'a\x1fb', 'a\x7fb'];

export const FIELDS: Sections = {
  'RFC 9113 section 8.2.1, names': [
    ...['X-Test', 'X-TEST', 'x-Test', 'Host', 'Cookie'].flatMap((name) => inEachForm([name, 'ok'])),
    ...NAMES.map((name): Case => [JSON.stringify(name), field(name, 'ok'), malformed]),
    ['with all characters of a token', field("!#$%&'*+-.^_`|~09az", 'ok'), answered()],
  ],

  'RFC 9113 section 8.2.1, values': [
    ...VALUES.map((value): Case => [JSON.stringify(value), field('x-test', value), malformed]),
    ...['a\r\nb: c', ' a'].flatMap((value) => inEachForm(['x-test', value])),
    ...CONTROLS.map((value): Case => [JSON.stringify(value), field('x-test', value), refused()]),
    ['empty', field('x-test', ''), answered()],
    ['with blanks inside', field('x-test', 'a \t b'), answered()],
    ['with bytes above 127', field('x-test', 'a\x80\xff'), answered()],
    ['with line ends in cookie', field('cookie', 'a=b\r\nc: d'), malformed],
    ['with line ends in host', field('host', 'app.localhost\r\nc: d'), malformed],
    ['with line ends in te', field('te', 'trailers\r\nc: d'), malformed],
    ['with line ends in content-length', field('content-length', '0\r\nc: d'), malformed],
    [
      'in trailers',
      (peer, fields) => peer.send(headers(1, fields('POST')), headers(1, [['x-test', 'a\r\nb: c']], END_STREAM)),
      malformed,
    ],
    [
      'that were refused once are refused again when the table gives them back',
      (peer, fields) =>
        peer.send(
          headers(1, [...fields(), literal('x-test', 'a\nb', 'incremental')], END_STREAM),
          headers(3, [...fields(), Buffer.from([0xbe])], END_STREAM),
        ),
      async (peer) => {
        assert.equal(await peer.resetOf(1), 'PROTOCOL_ERROR');
        assert.equal(await peer.resetOf(3), 'PROTOCOL_ERROR');
      },
    ],
  ],

  'RFC 9113 section 8.2.2, fields of the connection': [
    ...(
      [
        ['connection', 'keep-alive'],
        ['connection', 'close'],
        ['connection', ''],
        ['keep-alive', 'timeout=5'],
        ['proxy-connection', 'keep-alive'],
        ['transfer-encoding', 'chunked'],
        ['transfer-encoding', 'identity'],
        ['upgrade', 'websocket'],
        ['te', 'trailers, deflate'],
        ['te', 'gzip'],
        ['te', ''],
      ] as const
    ).map(([name, value]): Case => [`${name}: ${value}`, field(name, value), malformed]),
    ['te: trailers', field('te', 'trailers'), answered()],
  ],
};
