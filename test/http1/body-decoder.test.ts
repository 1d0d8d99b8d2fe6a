import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PerantaraError } from '../../src/core/errors.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { BodyDecoder } from '../../src/http1/body-decoder.ts';
import type { Framing } from '../../src/http1/framing.ts';
import { writeLastChunk } from '../../src/http1/head-writer.ts';

interface Decoded {
  content: string;
  pieces: number;
  trailers: readonly string[] | null;
  ended: number;
  /** Bytes that came after the content. */
  rest: string;
}

/** Decodes the pieces one after another. Throws the decoder's error. */
function decode(framing: Framing, pieces: readonly string[], decoder = new BodyDecoder(framing)): Decoded {
  const result: Decoded = { content: '', pieces: 0, trailers: null, ended: 0, rest: '' };
  const consumer = {
    onContent(chunk: Buffer) {
      result.content += chunk.toString('latin1');
      result.pieces++;
    },
    onContentEnd(trailers: HeaderList | null) {
      result.trailers = trailers?.flat ?? null;
      result.ended++;
    },
  };
  for (const piece of pieces) {
    const buf = Buffer.from(`#${piece}`, 'latin1');
    let at = 1;
    while (at < buf.length && !decoder.done) {
      const before = result.pieces;
      at = decoder.decode(buf, at, buf.length, consumer);
      assert.ok(result.pieces - before <= 1, 'more than one piece in a call');
    }
    result.rest += buf.toString('latin1', at);
  }
  return result;
}

const CHUNKED = '5\r\nhello\r\n1;a=b\r\n,\r\n006;q="x y"\r\n world\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n';

test('chunked content, its extensions dropped and its trailers kept, decodes the same wherever it is cut', () => {
  const expected = { content: 'hello, world', trailers: ['X-Sum', '1', 'Y', '2'], ended: 1, rest: 'NEXT' };
  const check = (pieces: readonly string[]) => {
    const { pieces: _, ...result } = decode('chunked', pieces);
    assert.deepEqual(result, expected, JSON.stringify(pieces));
  };
  check([`${CHUNKED}NEXT`]);
  check([...CHUNKED, 'NEXT']);
  for (let cut = 1; cut < CHUNKED.length; cut++) check([CHUNKED.slice(0, cut), `${CHUNKED.slice(cut)}NEXT`]);
});

test('content of known length ends exactly there, wherever it is cut', () => {
  for (let cut = 0; cut <= 5; cut++) {
    const result = decode(5, ['hello'.slice(0, cut), `${'hello'.slice(cut)}NEXT`]);
    assert.equal(result.content, 'hello');
    assert.equal(result.ended, 1);
    assert.equal(result.rest, 'NEXT');
  }
  const none = new BodyDecoder(0);
  assert.equal(none.done, true);
  assert.equal(none.bytesLeft, 0);
});

test('content until close takes everything and is complete when the connection ends', () => {
  const decoder = new BodyDecoder('close');
  assert.equal(decode('close', ['a', 'b\r\n\r\n', '0\r\n\r\n'], decoder).content, 'ab\r\n\r\n0\r\n\r\n');
  assert.equal(decoder.done, false);
  assert.equal(decoder.finish(), true);
});

test('content that is cut off by the end of the connection is not complete', () => {
  for (let cut = 0; cut < CHUNKED.length; cut++) {
    const decoder = new BodyDecoder('chunked');
    const result = decode('chunked', [CHUNKED.slice(0, cut)], decoder);
    assert.equal(decoder.finish(), false, `cut at ${cut}`);
    assert.equal(result.ended, 0);
  }
  const decoder = new BodyDecoder(5);
  decode(5, ['hell'], decoder);
  assert.equal(decoder.finish(), false);
  assert.equal(decoder.bytesLeft, 1);
});

test('chunk framing that is not exactly that of RFC 9112 is refused, whole or byte by byte', () => {
  const refused = [
    '\r\n',
    ' 5\r\nhello\r\n',
    '5 \r\nhello\r\n',
    '5\nhello\n',
    '5\r\nhello\n',
    '5\r\nhelloo\r\n',
    '5\r\nhello\r\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\rhello\r\n',
    '0x5\r\nhello\r\n',
    '-5\r\nhello\r\n',
    '+5\r\nhello\r\n',
    '5h\r\nhello\r\n',
    'g\r\n',
    ';a\r\n',
    '5\x00\r\nhello\r\n',
    '5;a\n\r\nhello\r\n',
    '5;a\nhello\r\n',
    '5;a\x00b\r\nhello\r\n',
    '5;a\rb\r\nhello\r\n',
    ...['', ' a', 'a ', 'a =b', 'a= b', 'a=', 'a=;b', ';a', '=b', 'a=b=c', 'a,b', 'a=b"c"', '\xe9'].map(
      (extension) => `5;${extension}\r\nhello\r\n0\r\n\r\n`,
    ),
    ...['a="b', 'a="b\\"', 'a="b"c', 'a="b" ', 'a="b\x00"', 'a="b\\\x7f"', 'a="b\\'].map(
      (extension) => `5;${extension}\r\nhello\r\n0\r\n\r\n`,
    ),
    'ffffffffffffff\r\n',
    '10000000000000000\r\n',
    '00000000000000\r\n',
    '0\r\nX: a\n\r\n',
    '0\r\nX : a\r\n\r\n',
    '0\r\nX: a\r\n b\r\n\r\n',
    '0\r\nX: a\x00\r\n\r\n',
    '0\r\n\rX\n',
    '0\r\n\n',
  ];
  for (const text of refused) {
    for (const pieces of [[text], [...text]]) {
      assert.throws(
        () => decode('chunked', pieces),
        { name: 'PerantaraError', code: 'bad_request' },
        JSON.stringify(text),
      );
    }
  }
});

test('chunk extensions and trailers are bounded, alone and in sum', () => {
  const long = `1;${'x'.repeat(1_000_000)}`;
  assert.throws(() => decode('chunked', [long]), { code: 'bad_request' });
  assert.throws(() => decode('chunked', [...long.slice(0, 400)]), { code: 'bad_request' }, 'dribbled');
  assert.throws(
    () => decode('chunked', [`1;${'x'.repeat(200)}\r\na\r\n`.repeat(100)]),
    { code: 'bad_request' },
    'in sum',
  );
  assert.throws(() => decode('chunked', [`0\r\nX: ${'x'.repeat(10_000)}`]), { code: 'head_too_large' });
  assert.throws(() => decode('chunked', ['0\r\n', ...Array(10_000).fill('X: y\r\n')]), { code: 'head_too_large' });
  assert.throws(() => decode('chunked', [`0\r\n${'X: y\r\n'.repeat(51)}\r\n`]), { code: 'head_too_large' });
});

test('many small chunks of a streaming sender are no offence', () => {
  const { content } = decode('chunked', ['1\r\nx\r\n'.repeat(20_000)]);
  assert.equal(content.length, 20_000);
});

test('trailers that would change framing, routing or trust are dropped', () => {
  const dropped = [
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Host: evil',
    'Connection: x',
    'Authorization: x',
  ];
  const more = ['Set-Cookie: a=b', 'Content-Type: x', 'Trailer: x', 'TE: x', 'Upgrade: h2c', 'Keep-Alive: 1'];
  const { trailers } = decode('chunked', [`0\r\n${[...dropped, 'X-Sum: 1', ...more].join('\r\n')}\r\n\r\n`]);
  assert.deepEqual(trailers, ['X-Sum', '1']);
});

test('what the encoder writes in any pieces, the decoder reads in any pieces', () => {
  const trailer = fc.tuple(fc.stringMatching(/^X-[a-z]{1,5}$/), fc.stringMatching(/^[a-z0-9 ]{0,5}$/));
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 10 });
  fc.assert(
    fc.property(chunks, fc.array(trailer, { maxLength: 3 }), fc.integer({ min: 1, max: 50 }), (parts, fields, size) => {
      const written = parts.map((part) => Buffer.from(part).toString('latin1'));
      const flat = fields.flatMap(([name, text]) => [name, text.trim()]);
      const list = flat.length === 0 ? null : new HeaderList(flat);
      const wire = `${written.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')}${writeLastChunk(list)}`;
      const pieces = Array.from({ length: Math.ceil(wire.length / size) }, (_, i) =>
        wire.slice(i * size, (i + 1) * size),
      );
      const result = decode('chunked', pieces);
      assert.equal(result.content, written.join(''));
      assert.deepEqual(result.trailers, list?.flat ?? null);
      assert.equal(result.ended, 1);
    }),
  );
});

test('any bytes at all are decoded or refused with a PerantaraError', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'0123aF;\r\n :x\0', '\r\n', '0\r\n\r\n', '1\r\nx\r\n')), (parts) => {
      try {
        decode('chunked', [parts.join('')]);
      } catch (error) {
        assert.ok(error instanceof PerantaraError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
