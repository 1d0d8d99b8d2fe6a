import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ParsedRequest, parseRequestHead } from '../../src/http1/head-parser.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { type HeadLimits, REQUEST_LIMITS } from '../../src/http1/limits.ts';

interface Counted {
  readonly reader: HeadReader<ParsedRequest>;
  /** How often the parser was asked. */
  calls: number;
  /** Bytes it was given in all. */
  bytes: number;
}

function counted(): Counted {
  const count = { calls: 0, bytes: 0 };
  const parse = (buf: Buffer, start: number, end: number, limits: HeadLimits): ParsedRequest | null => {
    count.calls++;
    count.bytes += end - start;
    return parseRequestHead(buf, start, end, limits);
  };
  return Object.assign(count, { reader: new HeadReader(parse, REQUEST_LIMITS) });
}

/** Feeds the pieces; returns the first head and how many bytes of the last piece used belong to it. */
function feed(
  reader: HeadReader<ParsedRequest>,
  pieces: readonly string[],
): { head: ParsedRequest; used: number } | null {
  for (const piece of pieces) {
    const buf = Buffer.from(`??${piece}`, 'latin1');
    const head = reader.read(buf, 2, buf.length);
    buf.fill(0); // the reader keeps no reference to what it was given
    if (head !== null) return { head, used: reader.endAt - 2 };
  }
  return null;
}

const HEAD = 'GET /a HTTP/1.1\r\nHost: a\r\nLong: value\r\n\r\n';

test('a head cut in two at any byte parses the same, and says where it ended in the second piece', () => {
  for (const text of [HEAD, `\r\n${HEAD}`]) {
    for (let cut = 1; cut < text.length; cut++) {
      const result = feed(counted().reader, [text.slice(0, cut), `${text.slice(cut)}GET /next`]);
      assert.deepEqual(result?.head.headers.flat, ['Host', 'a', 'Long', 'value'], `cut at ${cut}`);
      assert.equal(result.head.target, '/a');
      assert.equal(result.used, text.length - cut);
    }
  }
});

test('a head that comes byte by byte parses the same', () => {
  for (const text of [HEAD, `\r\n${HEAD}`, 'GET / HTTP/1.0\r\n\r\n']) {
    const { reader } = counted();
    const result = feed(reader, [...text]);
    assert.equal(result?.used, 1);
    assert.equal(reader.started, false);
  }
});

test('one reader reads head after head, whole or in pieces', () => {
  const { reader } = counted();
  for (const target of ['/1', '/2', '/3']) {
    const text = HEAD.replace('/a', target);
    assert.equal(feed(reader, [text.slice(0, 20), text.slice(20)])?.head.target, target);
    assert.equal(feed(reader, [text])?.head.target, target);
  }
});

test('dribbled bytes do not make the parser run for each of them', () => {
  const fields = Array.from({ length: 90 }, (_, i) => `Field-${i}: ${'x'.repeat(300)}\r\n`).join('');
  const text = `GET / HTTP/1.1\r\n${fields}\r\n`;
  const count = counted();
  assert.notEqual(feed(count.reader, [...text]), null);
  assert.ok(count.calls <= 5, `${count.calls} calls for ${text.length} bytes`);
  assert.ok(count.bytes <= 2 * text.length + 10_000, `${count.bytes} bytes looked at`);
});

test('an endless head is refused at its limit however it is cut, and nothing more is kept', () => {
  const endless: readonly (readonly [string, string, number, string])[] = [
    ['GET /', 'a', 8 * 1024, 'target_too_long'],
    ['GET / HTTP/1.1\r\na: ', 'x', 32 * 1024, 'head_too_large'],
    ['GET / HTTP/1.1\r\n', 'a: b\r\n', 32 * 1024, 'head_too_large'],
  ];
  for (const [start, more, limit, code] of endless) {
    for (const size of [1, 7, 1000]) {
      const { reader } = counted();
      let sent = start.length;
      const piece = more.repeat(size);
      const forever = () => {
        feed(reader, [start]);
        for (; sent <= limit + piece.length + 16; sent += piece.length) feed(reader, [piece]);
      };
      assert.throws(forever, { code }, `${JSON.stringify(more)} by ${size}`);
    }
  }
});

test('a line end that is not CRLF is refused when it comes, not when the deadline does', () => {
  for (const bad of ['\n', 'GET / HTTP/1.1\n', 'GET / HTTP/1.1\r\nHost: a\n', 'GET / HTTP/1.1\r\nHost: a\r\n\n']) {
    assert.throws(() => feed(counted().reader, [...bad]), { code: 'bad_request' }, JSON.stringify(bad));
  }
});

test('however a head is cut into pieces, the outcome is that of the whole', () => {
  const text = fc.constantFrom(HEAD, `\r\n${HEAD}`, HEAD.replace('Long:', 'Long :'), HEAD.replace('a\r\n', 'a\n'));
  const outcome = (pieces: readonly string[]): string => {
    try {
      const result = feed(counted().reader, pieces);
      return JSON.stringify(result?.head.headers.flat ?? null);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 }), (whole, sizes) => {
      const pieces: string[] = [];
      let at = 0;
      for (const size of sizes) {
        pieces.push(whole.slice(at, at + size));
        at += size;
      }
      pieces.push(whole.slice(at));
      assert.equal(outcome(pieces.filter(Boolean)), outcome([whole]));
    }),
  );
});
