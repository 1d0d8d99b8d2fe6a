import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PerantaraError } from '../../src/core/errors.ts';
import { parseRequestHead, parseResponseHead } from '../../src/http1/head-parser.ts';
import { type HeadLimits, REQUEST_LIMITS, RESPONSE_LIMITS } from '../../src/http1/limits.ts';

function request(text: string, limits: HeadLimits = REQUEST_LIMITS) {
  const buf = Buffer.from(text, 'latin1');
  return parseRequestHead(buf, 0, buf.length, limits);
}

function response(text: string) {
  const buf = Buffer.from(text, 'latin1');
  return parseResponseHead(buf, 0, buf.length, RESPONSE_LIMITS);
}

/** A head whose only doubtful part is these lines. */
const withFields = (lines: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`;

test('a request head is taken apart, names and values as they were written', () => {
  const text = 'GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-MiXed:  one two\t \r\nEmpty:\r\nHost2: \xe9\xff\r\n\r\nrest';
  const head = request(text)!;
  assert.equal(head.method, 'GET');
  assert.equal(head.target, '/a?b=c');
  assert.equal(head.version, '1.1');
  assert.deepEqual(head.headers.flat, ['Host', 'a', 'X-MiXed', 'one two', 'Empty', '', 'Host2', '\xe9\xff']);
  assert.equal(head.end, text.length - 'rest'.length);
});

test('request heads that RFC 9112 allows are accepted', () => {
  const allowed = [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.0\r\n\r\n',
    '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    "!#$%&'*+-.^_`|~0aZ / HTTP/1.1\r\n!#$%&'*+-.^_`|~0aZ: x\r\n\r\n",
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
    withFields('a:b'),
    withFields('a:\t b \t'),
    withFields('a: b\tc'),
    withFields('a: \x80\xff'),
    withFields('__proto__: x\r\nconstructor: y'),
  ];
  for (const text of allowed) assert.notEqual(request(text), null, JSON.stringify(text));
});

test('request heads that are doubtful are refused with the code of their answer', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad_request'],
    ['\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad_request'],
    [' GET / HTTP/1.1\r\n\r\n', 'bad_request'],
    ['G@T / HTTP/1.1\r\n\r\n', 'bad_request'],
    ['G\x00T / HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET  / HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET /  HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET\t/ HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET /a b HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET /\x00 HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET /\xe9 HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET /\x7f HTTP/1.1\r\n\r\n', 'bad_request'],
    ['GET /\r\n\r\n', 'bad_request'],
    ['GET / HTTP/1.1 \r\n\r\n', 'bad_request'],
    ['GET / HTTP/1.1\n\n', 'bad_request'],
    ['GET / HTTP/1.1\r\r\n\r\n', 'bad_request'],
    ['GET / http/1.1\r\n\r\n', 'bad_request'],
    ['GET / HTTP/1.10\r\n\r\n', 'bad_request'],
    ['GET / HTTPS/1.1\r\n\r\n', 'bad_request'],
    ['GET / HTTP/01.1\r\n\r\n', 'bad_request'],
    ['GET / HTTP/1.2\r\n\r\n', 'unsupported_version'],
    ['GET / HTTP/2.0\r\n\r\n', 'unsupported_version'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'unsupported_version'],
    ['GET / HTTP/0.9\r\n\r\n', 'unsupported_version'],
    [withFields('a : b'), 'bad_request'],
    [withFields('a\t: b'), 'bad_request'],
    [withFields(' a: b'), 'bad_request'],
    [withFields(': b'), 'bad_request'],
    [withFields('a'), 'bad_request'],
    [withFields('a b: c'), 'bad_request'],
    [withFields('a(: c'), 'bad_request'],
    [withFields('a\xe9: c'), 'bad_request'],
    [withFields('a\x00: c'), 'bad_request'],
    [withFields('a: b\x00'), 'bad_request'],
    [withFields('a: b\x01'), 'bad_request'],
    [withFields('a: b\x7f'), 'bad_request'],
    [withFields('a: b\x0bc'), 'bad_request'],
    [withFields('a: b\r\n c'), 'bad_request'],
    [withFields('a: b\r\n\tc'), 'bad_request'],
    [withFields('a: b\nc: d'), 'bad_request'],
    [withFields('a: b\rc: d'), 'bad_request'],
    [withFields('a: b\r\r'), 'bad_request'],
    [withFields('Transfer-Encoding:\tchunked'), 'bad_request'],
    [withFields('transfer-encoding: chunked\t'), 'bad_request'],
    [withFields('Content-Length: \t 5'), 'bad_request'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\n', 'bad_request'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\rX', 'bad_request'],
    ['GET / HTTP/1.1\r\nHost: a\n\r\n', 'bad_request'],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'bad_request'],
  ];
  for (const [text, code] of refused) {
    assert.throws(() => request(text), { name: 'PerantaraError', code, source: 'downstream' }, JSON.stringify(text));
  }
});

test('what cannot become a request any more is refused before its head is complete', () => {
  for (const text of ['GET / HTTQ', 'GET / HTTP/1.1\rX', 'GE(', 'GET \x00', 'GET / X']) {
    assert.throws(() => request(text), { code: 'bad_request' }, JSON.stringify(text));
  }
});

test('a request line over 8 KiB is 414, a head over 32 KiB or 100 fields is 431, and the limits themselves pass', () => {
  const line = (bytes: number): string => `GET /${'a'.repeat(bytes - 5)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  assert.notEqual(request(line(8192)), null);
  assert.throws(() => request(line(8193)), { code: 'target_too_long' });
  assert.throws(() => request('G'.repeat(9000)), { code: 'target_too_long' });

  const fields = (count: number): string => `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(count)}\r\n`;
  assert.equal(request(fields(100))!.headers.size, 100);
  for (const count of [101, 1000, 5000])
    assert.throws(() => request(fields(count)), { code: 'head_too_large' }, String(count));

  const sized = (bytes: number): string => {
    const around = 'GET / HTTP/1.1\r\na: \r\n\r\n'.length;
    return `GET / HTTP/1.1\r\na: ${'x'.repeat(bytes - around)}\r\n\r\n`;
  };
  assert.equal(request(sized(32 * 1024))!.end, 32 * 1024);
  assert.throws(() => request(sized(32 * 1024 + 1)), { code: 'head_too_large' });
  assert.throws(() => request(sized(64 * 1024).slice(0, 40 * 1024)), { code: 'head_too_large' }, 'endless');
});

test('a request head is not complete before its last byte, wherever it is cut', () => {
  for (const text of [
    'GET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n',
    'POST / HTTP/1.0\r\n\r\n',
    '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ]) {
    for (let cut = 0; cut < text.length; cut++) assert.equal(request(text.slice(0, cut)), null, `${cut} of ${text}`);
    assert.notEqual(request(text), null);
  }
});

test('a response head is not complete before its last byte, wherever it is cut', () => {
  for (const text of ['HTTP/1.1 200 OK\r\nA: b\r\nC:\r\n\r\n', 'HTTP/1.0 404 \r\n\r\n', 'HTTP/1.1 204\r\n\r\n']) {
    for (let cut = 0; cut < text.length; cut++) assert.equal(response(text.slice(0, cut)), null, `${cut} of ${text}`);
    assert.equal(response(text)!.end, text.length);
  }
});

test('a response head is taken apart', () => {
  const head = response('HTTP/1.1 299 Fine \xe9 day\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n')!;
  assert.equal(head.status, 299);
  assert.equal(head.reason, 'Fine \xe9 day');
  assert.deepEqual(head.headers.flat, ['Set-Cookie', 'a', 'set-cookie', 'b']);
});

test('response heads that are doubtful are refused', () => {
  for (const text of [
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 099 Low\r\n\r\n',
    'HTTP/1.1 600 High\r\n\r\n',
    'HTTP/1.1 +20 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1200 OK\r\n\r\n\r\n',
    'HTTP/1.1 200 O\x00K\r\n\r\n',
    'HTTP/1.1 200 OK\n\n\n\n\n',
    'HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/3 200 OK\r\n\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    '<html></html>',
    `HTTP/1.1 200 ${'x'.repeat(9000)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(201)}\r\n`,
    `HTTP/1.1 200 OK\r\na: ${'x'.repeat(70_000)}`,
  ]) {
    assert.throws(() => response(text), { name: 'PerantaraError' }, JSON.stringify(text.slice(0, 60)));
  }
});

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^([!-~\x80-\xff]([\t !-~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const head = fc.record({
  method: token,
  target: fc.stringMatching(/^[!-~]{1,20}$/),
  version: fc.constantFrom('1.0', '1.1'),
  fields: fc.array(fc.tuple(token, value), { maxLength: 8 }),
});
const write = ({ method, target, version, fields }: typeof head extends fc.Arbitrary<infer T> ? T : never): string =>
  `${method} ${target} HTTP/${version}\r\n${fields.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`;

test('every head of the grammar parses to exactly what was written, with any bytes around it', () => {
  fc.assert(
    fc.property(head, fc.string(), fc.nat(20), (written, after, offset) => {
      const text = write(written);
      const buf = Buffer.from(`${'\0'.repeat(offset)}${text}${after}`, 'latin1');
      const parsed = parseRequestHead(buf, offset, buf.length, REQUEST_LIMITS)!;
      assert.equal(parsed.method, written.method);
      assert.equal(parsed.target, written.target);
      assert.equal(parsed.version, written.version);
      assert.deepEqual(parsed.headers.flat, written.fields.flat());
      assert.equal(parsed.end, offset + text.length);
    }),
  );
});

test('a mutated head is refused with a PerantaraError, is incomplete, or is one that a strict grammar accepts', () => {
  const strict =
    /^(\r\n)?[!#$%&'*+\-.^_`|~\w]+ [!-~]+ HTTP\/1\.[01]\r\n([!#$%&'*+\-.^_`|~\w]+:[\t -~\x80-\xff]*\r\n)*\r\n/;
  const bytes = fc.uint8Array({ maxLength: 3 }).map((array) => Buffer.from(array).toString('latin1'));
  const mutation = fc.tuple(fc.nat(400), fc.nat(3), bytes);
  fc.assert(
    fc.property(head, fc.array(mutation, { minLength: 1, maxLength: 4 }), (written, mutations) => {
      let text = write(written);
      for (const [at, length, insert] of mutations) {
        const from = at % text.length;
        text = (text.slice(0, from) + insert + text.slice(from + length)).slice(0, 4000) || '\r';
      }
      try {
        const parsed = request(text);
        if (parsed !== null) assert.match(text, strict);
        else assert.doesNotMatch(text, strict);
      } catch (error) {
        assert.ok(error instanceof PerantaraError, String(error));
        assert.doesNotMatch(text, strict);
      }
    }),
    { numRuns: 2_000 },
  );
});
