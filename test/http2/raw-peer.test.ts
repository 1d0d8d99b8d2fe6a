// The raw HTTP/2 peers of test/support against node:http2: the tools that judge our codec are judged by a foreign one first.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { openH2 } from '../support/h2-client.ts';
import {
  data,
  END_STREAM,
  frame,
  goAway,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  PUSH_PROMISE,
  ping,
  rstStream,
  windowUpdate,
} from '../support/h2-frames.ts';
import { HeaderDecoder } from '../support/h2-header-decoder.ts';
import { block, type FieldPair, headers, indexed, literal, requestFields, tableSize } from '../support/h2-headers.ts';
import { eosCode, fromHuffman, huffman } from '../support/h2-huffman.ts';
import { answerHello, startH2Origin } from '../support/h2-origin.ts';

const OK: readonly FieldPair[] = [[':status', '200']];
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');

async function startForeign(t: TestContext): Promise<number> {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, fields) => {
    stream.on('error', () => {});
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 200, 'x-path': fields[':path'] }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('the raw client', () => {
  it('reads what node:http2 answers, with its tables and in any amount', async (t) => {
    const peer = await openH2(t, await startForeign(t), { carrier: 'plain' });
    for (const stream of [1, 3, 5]) {
      peer.headers(stream, requestFields(`/${stream}`, 'POST', [['x-long', 'a'.repeat(200)]]), 0, 50);
      const piece = 'x'.repeat(16_000);
      peer.data(stream, piece);
      peer.data(stream, piece);
      peer.data(stream, piece, END_STREAM);
      const answer = await peer.response(stream);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.informational, [
        [
          [':status', '103'],
          ['link', '</a>'],
        ],
      ]);
      assert.equal(answer.value('x-path'), `/${stream}`);
      assert.equal(answer.body, piece.repeat(3));
      assert.deepEqual(answer.trailers, [['x-sum', '7']]);
    }
    await peer.roundTrip();
    assert.equal(peer.goaway, null);
  });

  it('tells what is refused: a stream, then the connection', async (t) => {
    const peer = await openH2(t, await startForeign(t), { carrier: 'plain' });
    peer.headers(1, [[':method', 'GET']], END_STREAM);
    assert.equal(await peer.resetOf(1), 'PROTOCOL_ERROR');
    await assert.rejects(peer.response(1), /was reset: PROTOCOL_ERROR/);
    peer.data(2, 'x');
    assert.equal((await peer.gone()).code, 'PROTOCOL_ERROR');
    await peer.end();
    await assert.rejects(peer.roundTrip(), /waited in vain .*\n[\s\S]*GOAWAY 0 .* PROTOCOL_ERROR/);
  });

  it('follows the limit that it gave for the table', async (t) => {
    const peer = await openH2(t, await startForeign(t), {
      carrier: 'plain',
      settings: [[HEADER_TABLE_SIZE, 0]],
    });
    peer.headers(1, requestFields('/a'), END_STREAM);
    assert.equal((await peer.response(1)).value('x-path'), '/a');
  });

  it('leaves windows shut when it is told to', async (t) => {
    const settings = [[INITIAL_WINDOW_SIZE, 3]] as const;
    const peer = await openH2(t, await startForeign(t), {
      carrier: 'plain',
      settings,
      habits: { returnWindow: false },
    });
    peer.headers(1, requestFields('/', 'POST'));
    peer.data(1, '12345', END_STREAM);
    await peer.when(() => peer.stream(1).received === 3);
    await peer.roundTrip();
    assert.equal(peer.stream(1).received, 3);
  });
});

describe('the raw origin', () => {
  it('reads what node:http2 asks, and answers', async (t) => {
    const origin = await startH2Origin(t);
    const session = connect(`http://127.0.0.1:${origin.port}`);
    t.after(() => session.destroy());
    for (let round = 0; round < 2; round++) {
      const stream = session.request({ ':method': 'POST', ':path': '/a', 'x-b': 'c' });
      let status = 0;
      stream.on('response', (fields) => {
        status = fields[':status']!;
      });
      stream.setEncoding('latin1').end('content');
      assert.deepEqual(await stream.toArray(), ['hello']);
      assert.equal(status, 200);
      const request = await origin.request(round);
      assert.equal(request.value(':path'), '/a');
      assert.equal(request.value('x-b'), 'c');
      await (await origin.connection(0)).when(() => request.ended);
      assert.equal(request.body, 'content');
    }
    assert.equal(origin.peers.length, 1);
  });

  it('and the raw client understand each other', async (t) => {
    const origin = await startH2Origin(t, answerHello);
    const peer = await openH2(t, origin.port, { carrier: 'plain' });
    peer.headers(1, [literal(':method', 'GET', 'never', 'huffman'), indexed(4), indexed(6)], END_STREAM);
    assert.equal((await peer.response(1)).body, 'hello');
    assert.deepEqual((await origin.request(0)).fields, [
      [':method', 'GET'],
      [':path', '/'],
      [':scheme', 'http'],
    ]);
  });
});

describe('the decoder of header blocks', () => {
  it('keeps a table as RFC 7541 section C.5 shows it', () => {
    const decoder = new HeaderDecoder();
    decoder.limit(256);
    const first = block([
      tableSize(256),
      literal(8, '302', 'incremental'),
      literal(24, 'private', 'incremental'),
      literal(33, 'Mon, 21 Oct 2013 20:13:21 GMT', 'incremental'),
      literal(46, 'https://www.example.com', 'incremental'),
    ]);
    assert.equal(decoder.decode(first).length, 4);
    const second = decoder.decode(Buffer.from('4803333037c1c0bf', 'hex'));
    assert.deepEqual(second, [
      [':status', '307'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ]);
    assert.throws(() => decoder.decode(indexed(66)), /no entry 66/);
  });

  it('decodes Huffman codes as in RFC 7541 section C.4 and of every byte', () => {
    assert.equal(fromHuffman(Buffer.from('f1e3c2e5f23a6ba0ab90f4ff', 'hex')), 'www.example.com');
    assert.equal(huffman('www.example.com').toString('hex'), 'f1e3c2e5f23a6ba0ab90f4ff');
    assert.equal(fromHuffman(huffman(EVERY_BYTE)), EVERY_BYTE);
  });

  for (const [what, bytes] of [
    ['index 0', [0x80]],
    ['a cut integer', [0xff]],
    ['a table above the limit', tableSize(4_097)],
    ['a size update behind a field', Buffer.concat([indexed(2), tableSize(0)])],
    ['a string beyond the block', [0, 5, 1]],
    ['EOS', Buffer.concat([Buffer.from([0, 0x84]), eosCode(), Buffer.from([0])])],
    ['padding of zeros', [0, 0x81, 0, 0]],
    ['a padding of eight bits', [0, 0x82, 0x07, 0xff, 0]],
  ] as const)
    it(`refuses ${what}`, () => assert.throws(() => new HeaderDecoder().decode(Buffer.from(bytes as Buffer))));
});

describe('the referee', () => {
  const head = (stream: number, fields: readonly FieldPair[] = [[':status', '200']], flags = 0) =>
    headers(stream, fields, flags);
  const wrong: readonly (readonly [string, () => Buffer, RegExp])[] = [
    ['a stream that nobody opened', () => head(3), /idle stream/],
    ['DATA before a head', () => data(1, 'x'), /before a head/],
    ['DATA behind the end', () => Buffer.concat([head(1, undefined, END_STREAM), data(1, 'x')]), /have ended/],
    ['a frame behind RST_STREAM', () => Buffer.concat([head(1), rstStream(1), windowUpdate(1, 1)]), /have reset/],
    ['a frame that is too long', () => Buffer.concat([head(1), data(1, 'x'.repeat(16_385))]), /MAX_FRAME_SIZE/],
    ['more than the window of the stream', () => Buffer.concat([head(1), data(1, 'x'.repeat(101))]), /1 bytes beyond/],
    ['an increment of 0', () => windowUpdate(0, 0), /increment of 0/],
    ['a push', () => frame(PUSH_PROMISE, 4, 1, [0, 0, 0, 2]), /nobody asked/],
    ['a PING of seven bytes', () => ping('1234567'), /other than 8/],
    [
      'too little content',
      () => Buffer.concat([head(1, [...OK, ['content-length', '2']]), data(1, 'x', 1)]),
      /1 bytes of 2/,
    ],
    ['no status', () => head(1, [['a', 'b']]), /wrong status/],
    ['status 101', () => head(1, [[':status', '101']]), /wrong status/],
    ['an upper-case name', () => head(1, [...OK, ['A', 'b']]), /a field "A"/],
    ['a field of the connection', () => head(1, [...OK, ['connection', 'close']]), /has connection/],
    ['a line end in a value', () => head(1, [...OK, ['a', 'b\r\nc: d']]), /has a with the value/],
    ['a pseudo-field behind a field', () => head(1, [['a', 'b'], ...OK]), /behind a field/],
    ['a trailer that does not end', () => Buffer.concat([head(1), head(1, [['a', 'b']])]), /does not end/],
    ['an unknown index', () => headers(1, indexed(99)), /no entry 99/],
    ['a higher last stream', () => Buffer.concat([goAway(1), goAway(3)]), /raises/],
  ];
  for (const [what, bytes, complaint] of wrong)
    it(`complains of ${what}`, async (t) => {
      const origin = await startH2Origin(t, (_request, peer) => {
        peer.send(bytes());
        peer.finish();
      });
      const settings = [[INITIAL_WINDOW_SIZE, 100]] as const;
      const peer = await openH2(t, origin.port, { carrier: 'plain', settings, isJudged: false });
      peer.headers(1, requestFields(), END_STREAM);
      await peer.when(() => peer.ended !== 'no', 'the end').catch(() => {});
      assert.match(peer.referee.complaints.join('\n'), complaint);
    });

  it('complains of requests that are wrong', async (t) => {
    const origin = await startH2Origin(t, answerHello, { isJudged: false });
    const peer = await openH2(t, origin.port, { carrier: 'plain', isJudged: false });
    peer.headers(
      3,
      [
        [':method', 'GET'],
        ['te', 'gzip'],
      ],
      END_STREAM,
    );
    peer.headers(1, requestFields(), END_STREAM);
    await peer.response(1);
    const { complaints } = (await origin.connection(0)).referee;
    for (const complaint of [/lacks :scheme/, /lacks :path/, /has te: gzip/, /may not open a stream after 3/])
      assert.match(complaints.join('\n'), complaint);
  });
});
