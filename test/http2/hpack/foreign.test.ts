// Our HPACK codec against that of node:http2, as a client and as a server, over real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  sensitiveHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack-encoder.ts';
import { openH2 } from '../../support/h2-client.ts';
import {
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  HEADER_TABLE_SIZE,
  HEADERS,
  SETTINGS,
} from '../../support/h2-frames.ts';
import type { FieldPair } from '../../support/h2-headers.ts';
import { startH2Origin } from '../../support/h2-origin.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { decode, encode, encodeSingly, lowered } from '../../support/hpack-wire.ts';
import { runs } from '../../support/property-runs.ts';

/** Sizes of the table that node's SETTINGS allow, and that ours do. */
const SIZES: readonly (readonly [theirs: number, ours: number])[] = [
  [4_096, 4_096],
  [0, 4_096],
  [100, 0],
  [65_536, 300],
];

const EVERY_VALUE_BYTE = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((one) =>
  /[\x21-\x7e\x80-\xff]/.test(one),
);

/** Fields that node:http2 lets through, several of one name too. */
const name = fc.oneof(
  fc.constantFrom('Server', 'server', 'Via', 'ETag', 'Accept-Language', 'Set-Cookie', 'X-Request-Id', 'Link'),
  fc.stringMatching(/^X-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'gzip, deflate', 'Tue, 03 Nov 2026 10:11:12 GMT', 'x'.repeat(300)),
  fc.stringMatching(/^([\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]{0,40}[\x21-\x7e\x80-\xff])?)?$/),
);
const list: fc.Arbitrary<FieldPair[]> = fc.array(fc.tuple(name, value), { maxLength: 10 });
const lists = fc.array(list, { minLength: 1, maxLength: 12 }).map((some) => [...some, ...some, ...some]);

/** Options that the types do not all know: several fields of any name, and no Date that we did not give. */
const LENIENT: object = { strictSingleValueFields: false };
const BARE: object = { endStream: true, sendDate: false };

const REQUEST: readonly FieldPair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', '127.0.0.1'],
];

/** Encodes blocks by what the peer's SETTINGS have said so far. */
class SettledEncoder {
  readonly #encoder = new HpackEncoder(4_096);
  #seen = 0;

  block(peer: H2Peer, first: readonly FieldPair[], fields: readonly FieldPair[]): Buffer {
    for (const frame of peer.frames.slice(this.#seen)) {
      const size = frame.type === SETTINGS && frame.settings.findLast(([id]) => id === HEADER_TABLE_SIZE);
      if (size) this.#encoder.resize(size[1]);
    }
    this.#seen = peer.frames.length;
    return Buffer.concat([encodeSingly(this.#encoder, first), encode(this.#encoder, fields)]);
  }
}

/** All header blocks that came, decoded by ours. */
function allBlocks(peer: H2Peer, tableBytes: number): FieldPair[][] {
  const decoder = new HpackDecoder(tableBytes);
  const blocks: FieldPair[][] = [];
  let block = Buffer.alloc(0);
  for (const frame of peer.frames) {
    if (frame.type !== HEADERS && frame.type !== CONTINUATION) continue;
    block = Buffer.concat([block, frame.content]);
    if (!frame.has(END_HEADERS)) continue;
    blocks.push(decode(decoder, block));
    block = Buffer.alloc(0);
  }
  return blocks;
}

const paired = (flat: readonly string[]): FieldPair[] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);

/** As an object, by name; node:http2 writes the values of a name one after the other. */
function headersObject(fields: readonly FieldPair[]): Record<string, string[]> {
  const object: Record<string, string[]> = {};
  for (const [key, text] of lowered(fields)) object[key] = [...(object[key] ?? []), text];
  return object;
}

async function startServer(t: TestContext, headerTableSize: number) {
  const received: { raw: FieldPair[]; headers: IncomingHttpHeaders }[] = [];
  const server = createServer({ settings: { headerTableSize }, ...LENIENT });
  let answer: readonly FieldPair[] = [];
  server.on('stream', (stream: ServerHttp2Stream, headers, _flags, raw) => {
    received.push({ raw: paired(raw), headers });
    stream.respond({ ':status': 200, ...headersObject(answer) }, BARE);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const set = (fields: readonly FieldPair[]): void => {
    answer = fields;
  };
  return { port: (server.address() as AddressInfo).port, received, set };
}

for (const [theirs, ours] of SIZES) {
  const sizes = `tables of ${theirs} and ${ours} bytes`;

  test(`a server of node:http2 reads what we encode and writes what we decode, ${sizes}`, async (t) => {
    const server = await startServer(t, theirs);
    await fc.assert(
      fc.asyncProperty(lists, async (some) => {
        const peer = await openH2(t, server.port, { carrier: 'plain', settings: [[HEADER_TABLE_SIZE, ours]] });
        const encoder = new SettledEncoder();
        server.received.length = 0;
        for (const [index, fields] of some.entries()) {
          server.set(fields);
          peer.headers(2 * index + 1, encoder.block(peer, REQUEST, fields), END_STREAM);
          await peer.message(2 * index + 1);
        }
        assert.deepEqual(
          server.received.map(({ raw }) => raw),
          some.map((fields) => [...REQUEST, ...lowered(fields)]),
        );
        assert.deepEqual(
          allBlocks(peer, ours).map((block) => headersObject(block)),
          some.map((fields) => ({ ':status': ['200'], ...headersObject(fields) })),
        );
        peer.socket.destroy();
      }),
      runs(10),
    );
  });

  test(`a client of node:http2 reads what we encode and writes what we decode, ${sizes}`, async (t) => {
    const encoders = new Map<H2Peer, SettledEncoder>();
    let answer: readonly FieldPair[] = [];
    const origin = await startH2Origin(
      t,
      (request, peer) => {
        const encoder = encoders.get(peer) ?? new SettledEncoder();
        encoders.set(peer, encoder);
        peer.headers(request.stream, encoder.block(peer, [[':status', '200']], answer), END_STREAM);
      },
      { settings: [[HEADER_TABLE_SIZE, ours]] },
    );
    let connections = 0;
    await fc.assert(
      fc.asyncProperty(lists, async (some) => {
        const client = connect(`http://127.0.0.1:${origin.port}`, {
          settings: { headerTableSize: theirs },
          ...LENIENT,
        });
        t.after(() => client.destroy());
        await once(client, 'remoteSettings');
        const peer = await origin.connection(connections++);
        for (const [index, fields] of some.entries()) {
          answer = fields;
          assert.deepEqual(await asked(client, fields), [[':status', '200'], ...lowered(fields)]);
          // Another size in the midst of it all.
          if (index % 5 === 3) client.settings({ headerTableSize: [theirs, 0, 4_096, 70][index % 4]! });
        }
        assert.deepEqual(
          allBlocks(peer, 4_096).map((block) => headersObject(block.slice(4))),
          some.map(headersObject),
        );
        client.close();
      }),
      runs(10),
    );
  });
}

test('node:http2 and we mean the same by each byte of a value, in each place of a byte', async (t) => {
  const server = await startServer(t, 4_096);
  const peer = await openH2(t, server.port, { carrier: 'plain' });
  const encoder = new SettledEncoder();
  const fields = EVERY_VALUE_BYTE.map((byte, index): FieldPair => {
    const before = '0'.repeat(index % 8);
    return [`x-${index}`, `${before}${byte}${'a'.repeat(60)}`];
  });
  for (const [part, at] of [0, 60, 120, 180].map((from, index) => [fields.slice(from, from + 60), index] as const)) {
    server.set(part);
    peer.headers(2 * at + 1, encoder.block(peer, REQUEST, part), END_STREAM);
    await peer.message(2 * at + 1);
    assert.deepEqual(server.received[at]!.raw.slice(4), part);
    assert.deepEqual(allBlocks(peer, 4_096)[at]!.slice(1), part);
  }
});

test('node:http2 is told which fields are secret', async (t) => {
  const server = await startServer(t, 4_096);
  const peer = await openH2(t, server.port, { carrier: 'plain' });
  const fields: FieldPair[] = [
    ['Cookie', 'a=b'],
    ['Authorization', 'Basic YTpi'],
    ['X-Open', 'yes'],
  ];
  peer.headers(1, new SettledEncoder().block(peer, REQUEST, fields), END_STREAM);
  await peer.message(1);
  assert.deepEqual((server.received[0]!.headers as Record<symbol, unknown>)[sensitiveHeaders], [
    'cookie',
    'authorization',
  ]);
});

/** Asks, with these fields; resolves with the fields of the answer as they came. */
function asked(client: ClientHttp2Session, fields: readonly FieldPair[]): Promise<FieldPair[]> {
  const { promise, resolve, reject } = Promise.withResolvers<FieldPair[]>();
  const request = client.request({ ':path': '/', ...headersObject(fields) }, { endStream: true });
  request.on('response', (...args: unknown[]) => resolve(paired(args[2] as string[])));
  request.on('error', reject);
  request.resume();
  return promise;
}
