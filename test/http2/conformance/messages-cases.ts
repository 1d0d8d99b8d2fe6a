// What a request may look like (RFC 9113 sections 8.2.3, 8.3 and 8.5, RFC 8441): malformed ones end their stream, and no other.
import assert from 'node:assert/strict';
import { END_STREAM } from '../../support/h2-frames.ts';
import { type FieldPair, headers, literal } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { answered, refused, streamError } from './outcomes.ts';
import type { Case, Fields, Outcome, Sections } from './section.ts';

const malformed = streamError('PROTOCOL_ERROR');

/** A GET whose fields are changed by `edit`. */
const changed =
  (edit: (fields: FieldPair[]) => readonly (FieldPair | Buffer)[]) =>
  (peer: H2Peer, fields: Fields): unknown =>
    peer.headers(1, edit(fields()), END_STREAM);

const withMore = (...more: readonly FieldPair[]) => changed((fields) => [...fields, ...more]);

/** The pseudo-field of this name has this value, or is left out. */
const withPseudo = (name: string, value: string | null) =>
  changed((fields) =>
    fields.flatMap((field): FieldPair[] => (field[0] !== name ? [field] : value === null ? [] : [[name, value]])),
  );

/** The usual fields but for these. */
const without = (fields: readonly FieldPair[], ...names: readonly string[]): FieldPair[] =>
  fields.filter(([name]) => !names.includes(name));

const asked = (expected: string): Outcome => {
  return async (peer, fields) => {
    assert.equal((await peer.response(1)).value('x-asked'), expected);
    await answered()(peer, fields);
  };
};

export const MESSAGES: Sections = {
  'RFC 9113 section 8.3, pseudo-fields': [
    ['that are unknown', withMore([':test', 'ok']), malformed],
    ['of responses', withMore([':status', '200']), malformed],
    ['behind other fields', changed((fields) => [['x-test', 'ok'], ...fields]), malformed],
    [
      'one of them behind other fields',
      changed((fields) => [...fields.slice(0, 3), ['x-test', 'ok'], fields[3]!]),
      malformed,
    ],
    ...['method', 'scheme', 'path', 'authority'].flatMap((name): Case[] => [
      [`:${name} twice`, changed((fields) => [...fields, fields.find(([known]) => known === `:${name}`)!]), malformed],
      [
        `:${name} in upper case`,
        changed((fields) =>
          fields.map(([known, value]) => [known === `:${name}` ? `:${name.toUpperCase()}` : known, value]),
        ),
        malformed,
      ],
    ]),
    [':method left out', withPseudo(':method', null), malformed],
    [':scheme left out', withPseudo(':scheme', null), malformed],
    [':path left out', withPseudo(':path', null), malformed],
    ['all left out', changed(() => [['x-test', 'ok']]), malformed],
    ['an empty block', changed(() => []), malformed],
    [':path empty', withPseudo(':path', ''), malformed],
    [':method empty', withPseudo(':method', ''), malformed],
    [':scheme empty', withPseudo(':scheme', ''), malformed],
    ...['GE T', 'GET\r\nx: y', 'GET ', ' GET', 'G\0T', 'GÉT', '(GET)'].map(
      (method): Case => [`:method ${JSON.stringify(method)}`, withPseudo(':method', method), refused()],
    ),
    ...[
      'no-slash',
      '*',
      'http://app.localhost/',
      '//\\',
      '/a b',
      '/a\r\nx: y',
      '/a\0',
      '/a#b',
      '/\x7f',
      '/\xff',
      '?a',
    ].map((path): Case => [`:path ${JSON.stringify(path)}`, withPseudo(':path', path), refused()]),
    [
      ':path * of OPTIONS is one',
      changed((fields) => [[':method', 'OPTIONS'], [':path', '*'], ...without(fields, ':method', ':path')]),
      asked('OPTIONS * app.localhost'),
      {},
      'proxy',
    ],
    ...['ht tp', 'https\r\n', '1http', ''].map(
      (scheme): Case => [`:scheme ${JSON.stringify(scheme)}`, withPseudo(':scheme', scheme), refused()],
    ),
  ],

  'RFC 9113 section 8.3.1, :authority and host': [
    ['host alone', changed((fields) => [...without(fields, ':authority'), ['host', 'app.localhost']]), answered()],
    ['both, alike', withMore(['host', 'app.localhost']), answered()],
    ['both, different', withMore(['host', 'other.localhost']), refused()],
    ['both, one with the usual port', withMore(['host', 'app.localhost:443']), answered()],
    ['both, with different ports', withMore(['host', 'app.localhost:444']), refused()],
    [
      'two host fields',
      changed((fields) => [...without(fields, ':authority'), ['host', 'app.localhost'], ['host', 'app.localhost']]),
      refused(),
    ],
    ['neither', withPseudo(':authority', null), refused()],
    ...[
      '',
      'user@app.localhost',
      'app.localhost/',
      'app localhost',
      'app.localhost:x',
      'app.localhost, b',
      'a\r\nb',
      '[::1',
    ].map(
      (authority): Case => [`:authority ${JSON.stringify(authority)}`, withPseudo(':authority', authority), refused()],
    ),
    [
      'the origin is told of one host',
      withMore(['host', 'app.localhost']),
      asked('GET /forwarded app.localhost'),
      {},
      'proxy',
    ],
  ],

  'RFC 9113 section 8.5 and RFC 8441, CONNECT': [
    ['with :scheme and :path', changed((fields) => [[':method', 'CONNECT'], ...without(fields, ':method')]), malformed],
    ['without :authority', changed(() => [[':method', 'CONNECT']]), refusedOr501()],
    [
      'as it should be is not served',
      changed(() => [
        [':method', 'CONNECT'],
        [':authority', 'app.localhost:443'],
      ]),
      refusedOr501(),
    ],
    [':protocol of a GET', changed((fields) => [[':protocol', 'websocket'], ...fields]), malformed],
    [
      ':protocol without :path',
      changed((fields) => [[':method', 'CONNECT'], [':protocol', 'websocket'], ...without(fields, ':method', ':path')]),
      malformed,
    ],
    [
      ':protocol without :scheme',
      changed((fields) => [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        ...without(fields, ':method', ':scheme'),
      ]),
      malformed,
    ],
    [
      ':protocol twice',
      changed((fields) => [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        [':protocol', 'websocket'],
        ...without(fields, ':method'),
      ]),
      malformed,
    ],
  ],

  'RFC 9113 section 8.2.3, cookies': [
    [
      'in crumbs are joined for the origin',
      withMore(['cookie', 'a=b'], ['x-between', 'x'], ['cookie', 'c=d; e=f'], ['cookie', 'g=h']),
      async (peer) => assert.equal((await peer.response(1)).value('x-cookies'), '["a=b; c=d; e=f; g=h"]'),
      {},
      'proxy',
    ],
    [
      'of each request are their own, whatever the table holds',
      (peer, fields) =>
        peer.send(
          headers(
            1,
            [...fields(), literal('cookie', 'a=b', 'incremental'), literal('cookie', 'c=d', 'incremental')],
            END_STREAM,
          ),
          headers(3, [...fields(), Buffer.from([0xbe])], END_STREAM),
        ),
      async (peer) => {
        assert.equal((await peer.response(1)).value('x-cookies'), '["a=b; c=d"]');
        assert.equal((await peer.response(3)).value('x-cookies'), '["c=d"]');
      },
      {},
      'proxy',
    ],
  ],
};

/** CONNECT that is well-formed may be answered by 501; what is not, as malformed. */
function refusedOr501(): Outcome {
  return async (peer, fields) => {
    const message = peer.stream(1);
    await peer.when(() => message.ended || message.reset !== null, 'an answer');
    if (message.ended && message.status === 501) await answered(3)(await ask(peer, fields), fields);
    else await refused()(peer, fields);
  };
}

async function ask(peer: H2Peer, fields: Fields): Promise<H2Peer> {
  await peer.headers(3, fields(), END_STREAM);
  return peer;
}
