import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResponseHead } from '../../src/http/message.ts';
import { ResponseReader } from '../../src/http1/response-reader.ts';

/** What the reader told, in order, one line each. */
function read(pieces: readonly string[], method = 'GET', upgradeTo: string | null = null) {
  const reader = new ResponseReader();
  const told: string[] = [];
  let content = '';
  const fieldsOf = (head: ResponseHead): string => head.headers.flat.join(' ');
  reader.begin(method, upgradeTo, {
    onInformation: (head) => void told.push(`info ${head.status} ${fieldsOf(head)}`.trim()),
    onResponse: (head, length) => void told.push(`head ${head.status} ${length} ${fieldsOf(head)}`.trim()),
    onUpgrade: (head, protocol) => void told.push(`upgrade ${protocol} ${fieldsOf(head)}`.trim()),
    onResponseData: (chunk) => {
      content += chunk.toString('latin1');
    },
  });
  let rest = '';
  for (const piece of pieces) {
    const buf = Buffer.from(piece, 'latin1');
    let at = 0;
    while (at < buf.length && (reader.state === 'head' || reader.state === 'content')) at = reader.step(buf, at);
    rest += buf.toString('latin1', at);
  }
  return { reader, told, content, rest };
}

test('a response with interim heads, content and trailers is told in order, wherever it is cut', () => {
  const text =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nA: b\r\nConnection: x-hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: u\r\n\r\n';
  const check = (pieces: readonly string[]) => {
    const { reader, told, content, rest } = read(pieces);
    assert.deepEqual(told, ['info 100', 'info 103 Link </a>', 'head 200 null A b']);
    assert.equal(content, 'hi');
    assert.deepEqual(reader.trailers?.flat, ['T', 'u']);
    assert.equal(reader.state, 'done');
    assert.equal(rest, 'MORE');
  };
  check([`${text}MORE`]);
  check([...text, 'MORE']);
  for (let cut = 1; cut < text.length; cut++) check([text.slice(0, cut), `${text.slice(cut)}MORE`]);
});

test('content ends where method, status and framing say, and the declared length is still told', () => {
  const table: readonly (readonly [method: string, text: string, told: string, state: string, rest: string])[] = [
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX', 'head 200 3', 'done', 'X'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nX', 'head 200 0', 'done', 'X'],
    ['GET', 'HTTP/1.1 200 OK\r\n\r\nX', 'head 200 null', 'content', ''],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'head 200 3', 'done', 'abc'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'head 200 null', 'done', ''],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n', 'head 200 null', 'done', ''],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\nX', 'head 204 null', 'done', 'X'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', 'head 304 7', 'done', ''],
  ];
  for (const [method, text, told, state, rest] of table) {
    const result = read([text], method);
    assert.deepEqual(result.told, [told], text);
    assert.equal(result.reader.state, state, text);
    assert.equal(result.rest, rest, text);
  }
});

test('a connection may serve again only after a response that says where it ends and does not close', () => {
  const table: readonly (readonly [string, boolean])[] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X, Close\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x\r\nConnection: close\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\n\r\n', false],
    ['HTTP/1.1 204 No Content\r\n\r\n', true],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n', false],
    ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', false],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n', true],
  ];
  for (const [text, keepAlive] of table) assert.equal(read([text]).reader.keepAlive, keepAlive, text);
});

test('the end of the connection completes only content that lasts until close', () => {
  assert.equal(read(['HTTP/1.1 200 OK\r\n\r\nabc']).reader.finish(), true);
  for (const text of [
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n',
  ])
    assert.equal(read([text]).reader.finish(), false, text);
});

test('the idle limit that the upstream announces is kept to with a second to spare', () => {
  const announced = (field: string): number =>
    read([`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${field}\r\n\r\n`]).reader.announcedIdleMs;
  assert.equal(announced('Keep-Alive: timeout=5, max=100'), 4_000);
  assert.equal(announced('keep-alive: max=3, timeout=72'), 71_000);
  assert.equal(announced('Keep-Alive: timeout=0'), 0);
  assert.equal(announced('A: b'), Number.POSITIVE_INFINITY);
});

test('101 is an upgrade when one was asked for, and the bytes behind it are left for the tunnel', () => {
  const text = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-X: 1\r\n\r\n';
  const { told, reader, rest } = read([`${text}bytes`], 'GET', 'websocket');
  assert.deepEqual(told, ['upgrade websocket Sec-X 1']);
  assert.equal(reader.state, 'upgraded');
  assert.equal(reader.keepAlive, false);
  assert.equal(rest, 'bytes');
  assert.throws(() => read([text]), /no upgrade was asked for/);
  assert.throws(() => read(['HTTP/1.1 101 Fine\r\n\r\n'], 'GET', 'websocket'), /101/);
  for (const asked of ['h', 'chat, x', 'web'])
    assert.throws(() => read([text], 'GET', asked), /not for the protocol/, asked);
  assert.throws(() => read(['HTTP/1.1 101 Fine\r\nUpgrade: ,\r\n\r\n'], 'GET', 'websocket'), /not for the protocol/);
  assert.equal(read([text], 'GET', 'chat, WebSocket').reader.state, 'upgraded');
});

test('a flood of interim responses is refused', () => {
  assert.equal(read(['HTTP/1.1 102 Processing\r\n\r\n'.repeat(16)]).told.length, 0);
  assert.throws(() => read(['HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17)]), /interim/);
});

test('an interim response ends with its head whatever framing it declares, which must be well formed all the same', () => {
  const { told, content } = read([
    'HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  ]);
  assert.deepEqual(told, ['info 103', 'head 200 2']);
  assert.equal(content, 'hi');
  for (const field of ['Content-Length: x', 'Content-Length:', 'Transfer-Encoding: xchunked', 'Content-Length: 1, 1']) {
    assert.throws(() => read([`HTTP/1.1 103 Hints\r\n${field}\r\n\r\n`]), { code: 'bad_request' }, field);
    const upgrade = `HTTP/1.1 101 Fine\r\nUpgrade: x\r\n${field}\r\n\r\n`;
    assert.throws(() => read([upgrade], 'GET', 'x'), { code: 'bad_request' }, field);
  }
});
