// What upstreams send, valid and not, for the comparison with llhttp: the answer to one request each, and how the
// connection goes on behind it.
import type { Asked } from '../../support/wire.ts';

export interface Answer extends Asked {
  readonly text: string;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const LENGTH = 'Content-Length: 5\r\n\r\nhello';

const answer = (text: string, asked: Partial<Asked> = {}): Answer => ({
  text,
  method: 'GET',
  upgradeTo: null,
  ended: false,
  ...asked,
});
const open = (text: string): Answer => answer(text);
const ended = (text: string): Answer => answer(text, { ended: true });
const head = (text: string): Answer => answer(text, { method: 'HEAD' });
const upgraded = (text: string): Answer => answer(text, { upgradeTo: 'x' });
const statusLine = (line: string): Answer => open(`${line}\r\n${LENGTH}`);
const withFields = (lines: string): Answer => open(`${OK}${lines}\r\n${LENGTH}`);
const framed = (lines: string, content = 'hello'): Answer => ended(`${OK}${lines}\r\n\r\n${content}`);
const chunked = (content: string): Answer => ended(`${OK}Transfer-Encoding: chunked\r\n\r\n${content}`);

export const RESPONSE_CORPUS: readonly Answer[] = [
  // Responses as they should be.
  open(OK + LENGTH),
  open(`${OK}content-length:00005 \r\n\r\nhelloMORE`),
  open(`${OK}Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`),
  ended(`${OK}\r\nuntil close\r\n\r\n`),
  ended(`${OK}\r\n`),
  open(`${OK}\r\nmore to come`),
  ended(`HTTP/1.0 200 OK\r\n\r\nuntil close`),
  open(`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${LENGTH}`),
  open(`${OK}Connection: close\r\n${LENGTH}`),
  ended(`${OK}Connection: close\r\n\r\nuntil close`),
  chunked('5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'),
  chunked('5;a=b\r\nhello\r\n0;c="d"\r\nX: y\r\n\r\n'),
  ended(`${OK}transfer-encoding:Chunked\r\n\r\n0\r\n\r\n`),
  ...['200', '200 ', '200 Ok\t\xe9', '299 x', '404 Not Found', '500 500'].map((line) => statusLine(`HTTP/1.1 ${line}`)),
  ...['204 No Content', '304 Not Modified', '204', '304 '].map((line) => open(`HTTP/1.1 ${line}\r\n\r\nMORE`)),
  ...['204 No Content', '304 Not Modified'].map((line) => open(`HTTP/1.1 ${line}\r\n${LENGTH}`)),
  ...['204 No Content', '304 Not Modified'].map((line) =>
    open(`HTTP/1.1 ${line}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  ),
  open(`HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n`),
  head(OK + LENGTH),
  head(`${OK}\r\n`),
  head(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`),
  ...['100 Continue', '102 Processing', '103 Early Hints', '199 x', '100'].map((line) =>
    open(`HTTP/1.1 ${line}\r\n\r\n${OK}${LENGTH}`),
  ),
  open(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n${OK}${LENGTH}`),
  open(`HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${OK}${LENGTH}`),
  open(`HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${OK}${LENGTH}`),
  upgraded('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes'),
  upgraded(OK + LENGTH),
  upgraded('HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: y\r\nContent-Length: 5\r\n\r\nhello'),
  open(`${OK}Connection: Upgrade\r\nUpgrade: h2c\r\n${LENGTH}`),
  // Status lines.
  ...['HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK', 'HTTP/1.1 099 x', 'HTTP/1.1 600 x', 'HTTP/1.1 999 x', 'HTTP/1.1 000 x'].map(
    statusLine,
  ),
  ...[
    'HTTP/1.1 +20 OK',
    'HTTP/1.1 2e2 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1200 OK',
    'HTTP/1.1 200\tOK',
  ].map(statusLine),
  ...[
    'HTTP/1.1 200OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 OK\r',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 OK\n',
  ].map(statusLine),
  ...[
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'HTTP/11 200 OK',
  ].map(statusLine),
  ...[
    'ICY 200 OK',
    'RTSP/1.0 200 OK',
    'ICE/1.0 200 OK',
    'HTTPS/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    '200 OK',
    'HTTP/1.1',
    '',
  ].map(statusLine),
  ...['\r\n', '\n', '\r', '\r\n\r\n', '\0', '\xef\xbb\xbf'].map((before) => open(before + OK + LENGTH)),
  open('<html>hello</html>'),
  open('\x15\x03\x01\0\x02\x02\x50'),
  open(`HTTP/1.1 200 OK\n${LENGTH}`),
  open(`${OK}Content-Length: 5\n\nhello`),
  // Fields.
  ...['A : b', ' A: b', ': b', 'A', 'A b: c', 'A\0: c', 'A\xe9: c', 'A: b\0', 'A: b\x01', 'A: b\x7f', 'A: b\x0b'].map(
    withFields,
  ),
  ...['A: b\r\n c', 'A: b\r\n\tc', 'A: b\nC: d', 'A: b\rC: d', 'A: b\r\r', 'A: b\r\n\rX', 'A: b\n', 'A:\r\n '].map(
    withFields,
  ),
  ...['A:', 'A: \t', 'A:\tb\t', 'A: \xff', 'Set-Cookie: a\r\nSet-Cookie: b', '__proto__: x'].map(withFields),
  // Framing.
  ...['+5', '-5', '0x5', '5,5', '5, 5', '5 5', '', '\t5', '5\t', '5;', '1e1', '5.0'].map((value) =>
    framed(`Content-Length: ${value}`),
  ),
  ...['9007199254740992', '18446744073709551615', '18446744073709551616', '1'.repeat(30)].map((value) =>
    framed(`Content-Length: ${value}`),
  ),
  ...['5\r\nContent-Length: 5', '5\r\nContent-Length: 6', '5\r\nX: y\r\ncontent-length: 5'].map((value) =>
    framed(`Content-Length: ${value}`),
  ),
  framed('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  framed('Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
  framed('Content-Length: 5\r\nTransfer-Encoding: identity'),
  framed('Content-Length : 5'),
  framed('Content-Length: 6'),
  framed('Content-Length: 4'),
  ...[
    'xchunked',
    'chunkedx',
    'chunked;a',
    'chunked, chunked',
    'chunked,',
    ',chunked',
    'chunked, identity',
    'identity',
  ].map((value) => framed(`Transfer-Encoding: ${value}`, '0\r\n\r\n')),
  ...[
    'identity, chunked',
    'gzip, chunked',
    'gzip',
    '"chunked"',
    '',
    '\tchunked',
    'chunked\t',
    '\x0bchunked',
    'chunked\x0b',
  ].map((value) => framed(`Transfer-Encoding: ${value}`, '0\r\n\r\n')),
  ...[
    'chunked\r\nTransfer-Encoding: chunked',
    'chunked\r\nTransfer-Encoding: identity',
    'identity\r\nTransfer-Encoding: chunked',
  ].map((value) => framed(`Transfer-Encoding: ${value}`, '0\r\n\r\n')),
  ended('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  framed('Transfer_Encoding: chunked', '0\r\n\r\n'),
  // Chunks and trailers.
  ...[
    '5\nhello\r\n0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhelloo\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\n\r\n',
  ].map(chunked),
  ...[
    '5 \r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n',
    'g\r\n',
    '\r\n',
    ';a\r\n',
  ].map(chunked),
  ...[
    '5;\r\nhello\r\n0\r\n\r\n',
    '5;a\nhello\r\n0\r\n\r\n',
    '5;a="b\r\nhello\r\n0\r\n\r\n',
    '5; a\r\nhello\r\n0\r\n\r\n',
    '5;a\0\r\nhello\r\n',
  ].map(chunked),
  ...['ffffffffffffffff\r\n', '10000000000000000\r\n', '00000000000005\r\nhello\r\n0\r\n\r\n'].map(chunked),
  ...['5\r\nhello\r\n0\r\n', '5\r\nhell', '5\r\nhello\r\n', '5', ''].map(chunked),
  ...[
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Set-Cookie: a',
    'X : y',
    'X: y\0',
    'X: y\n',
  ].map((line) => chunked(`0\r\n${line}\r\n\r\n`)),
  // Interim and switching responses that are not as they should be.
  ...[
    '100 Continue\r\nContent-Length:',
    '103 x\r\nContent-Length: x',
    '103 x\r\nContent-Length: 1\r\nContent-Length: 2',
    '103 x\r\nTransfer-Encoding: x',
  ].map((line) => open(`HTTP/1.1 ${line}\r\n\r\n${OK}${LENGTH}`)),
  open(`HTTP/1.0 103 Early Hints\r\n\r\n${OK}${LENGTH}`),
  open(`HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${OK}${LENGTH}`),
  open('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes'),
  upgraded('HTTP/1.1 101 Switching Protocols\r\n\r\nbytes'),
  upgraded('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes'),
  open('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20) + OK + LENGTH),
  // Cut off.
  ...['', 'HTTP/1.1', 'HTTP/1.1 200 OK', OK, `${OK}Content-Length: 5\r\n`, 'HTTP/1.1 100 Continue\r\n\r\n'].map(ended),
];
