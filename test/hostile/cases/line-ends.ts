// Item 6: bytes that have no place in a head.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { also, forwarded, type HostileCase, refused, SMUGGLED, show } from '../hostile-case.ts';

const LINES = 'RFC 9112 section 2.2; Node CVE-2019-15606, CVE-2023-30589';
const FOLD = 'RFC 9112 section 5.2; Node CVE-2022-32214';
const NAME = 'RFC 9112 section 5.1; HAProxy CVE-2023-25725, Node CVE-2021-22959';
const BYTES = 'RFC 9110 section 5.5; Node CVE-2020-8287, CVE-2024-27982';
const START = 'RFC 9112 sections 3, 2.3; nginx CVE-2013-4547';

const HOST = 'Host: app.localhost\r\n';

const bad = (name: string, source: string, send: string | Buffer, status = 400): HostileCase => ({
  item: 6,
  name,
  source,
  send,
  expect: refused(status),
});

/** Nobody may take a bare CR for the end of a head. */
const hidden = (name: string, send: string): HostileCase => ({ ...bad(name, LINES, send), smuggles: true });

const lineEnds: readonly HostileCase[] = [
  bad('bare LF everywhere', LINES, 'GET / HTTP/1.1\nHost: app.localhost\n\n'),
  bad('bare LF behind the request line', LINES, `GET / HTTP/1.1\n${HOST}\r\n`),
  bad('bare LF behind a field', LINES, `GET / HTTP/1.1\r\n${HOST}A: b\nC: d\r\n\r\n`),
  bad('bare LF in place of the empty line', LINES, `GET / HTTP/1.1\r\n${HOST}\n${SMUGGLED}`),
  bad('LF LF as the end of the head', LINES, `GET / HTTP/1.1\r\nHost: app.localhost\n\n${SMUGGLED}`),
  bad('LF CR LF as the end of the head', LINES, `GET / HTTP/1.1\r\nHost: app.localhost\n\r\n${SMUGGLED}`),
  bad('bare CR behind a field', LINES, `GET / HTTP/1.1\r\n${HOST}A: b\rC: d\r\n\r\n`),
  bad('bare CR behind the request line', LINES, `GET / HTTP/1.1\r${HOST}\r\n`),
  bad('CR CR LF behind a field', LINES, `GET / HTTP/1.1\r\n${HOST}A: b\r\r\n\r\n`),
  hidden('CR LF CR X as the end of the head', `GET / HTTP/1.1\r\n${HOST}\r\r${SMUGGLED}`),
  hidden('CR X in place of the empty line', `GET / HTTP/1.1\r\n${HOST}\rX${SMUGGLED}`),
  bad(
    'a bare LF that hides Transfer-Encoding',
    LINES,
    `POST / HTTP/1.1\r\n${HOST}A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  bad('a bare CR that hides Content-Length', LINES, `POST / HTTP/1.1\r\n${HOST}A: b\rContent-Length: 5\r\n\r\nhello`),
];

const folds: readonly HostileCase[] = [
  bad('a field folded with a space', FOLD, `GET / HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`),
  bad('a field folded with a tab', FOLD, `GET / HTTP/1.1\r\n${HOST}A: b\r\n\tc\r\n\r\n`),
  bad('a fold before the first field', FOLD, `GET / HTTP/1.1\r\n ${HOST}\r\n`),
  bad('a line of one space', FOLD, `GET / HTTP/1.1\r\n${HOST} \r\nA: b\r\n\r\n`),
  bad('a Content-Length folded', FOLD, `POST / HTTP/1.1\r\n${HOST}Content-Length:\r\n 5\r\n\r\nhello`),
  bad('a Host folded', FOLD, 'GET / HTTP/1.1\r\nHost:\r\n app.localhost\r\n\r\n'),
];

const names: readonly HostileCase[] = [
  ': b',
  'A : b',
  'A\t: b',
  ' A: b',
  'A B: c',
  'A',
  'A\0: b',
  'A\x01: b',
  'A\x7f: b',
  'A\x80: b',
  '\xc3\xa9: b',
  '(A): b',
  'A/B: c',
  'A@B: c',
  'A[0]: b',
  'A{}: b',
  'A"B": c',
  'A=B: c',
  'A,B: c',
  'A;B: c',
  'A?: b',
  'A\\: b',
  '=',
].map((line) => bad(`the line ${show(line)}`, NAME, request('/', [line])));

const control = (codes: readonly number[]): readonly HostileCase[] =>
  codes.map((code) => {
    const char = String.fromCharCode(code);
    return bad(`${show(char)} in a value`, BYTES, request('/', [`A: b${char}c`]));
  });

const startLines: readonly HostileCase[] = [
  bad('two spaces behind the method', START, `GET  / HTTP/1.1\r\n${HOST}\r\n`),
  bad('two spaces behind the target', START, `GET /  HTTP/1.1\r\n${HOST}\r\n`),
  bad('a tab behind the method', START, `GET\t/ HTTP/1.1\r\n${HOST}\r\n`),
  bad('a space behind the version', START, `GET / HTTP/1.1 \r\n${HOST}\r\n`),
  bad('a space before the method', START, ` GET / HTTP/1.1\r\n${HOST}\r\n`),
  bad('a byte order mark before the method', START, `\xef\xbb\xbfGET / HTTP/1.1\r\n${HOST}\r\n`),
  bad('a method that is no token', START, `G(T / HTTP/1.1\r\n${HOST}\r\n`),
  bad('a method with a NUL', START, `GE\0T / HTTP/1.1\r\n${HOST}\r\n`),
  bad('a method with a byte above 127', START, `G\xcbT / HTTP/1.1\r\n${HOST}\r\n`),
  bad('no version (HTTP/0.9)', START, 'GET /\r\n\r\n'),
  bad('no target', START, `GET HTTP/1.1\r\n${HOST}\r\n`),
  bad('no method', START, `/ HTTP/1.1\r\n${HOST}\r\n`),
  bad('the version in lower case', START, `GET / http/1.1\r\n${HOST}\r\n`),
  bad('HTTP/1.10', START, `GET / HTTP/1.10\r\n${HOST}\r\n`),
  bad('HTTP/01.1', START, `GET / HTTP/01.1\r\n${HOST}\r\n`),
  bad('HTTP/1,1', START, `GET / HTTP/1,1\r\n${HOST}\r\n`),
  bad('HTTP/1', START, `GET / HTTP/1\r\n${HOST}\r\n`),
  bad('HTP/1.1', START, `GET / HTP/1.1\r\n${HOST}\r\n`),
  bad('HTTP/2.0', START, `GET / HTTP/2.0\r\n${HOST}\r\n`, 505),
  bad('HTTP/1.2', 'RFC 9110 section 2.5', `GET / HTTP/1.2\r\n${HOST}\r\n`, 505),
  bad('HTTP/0.9 written out', START, `GET / HTTP/0.9\r\n${HOST}\r\n`, 505),
  bad("HTTP/2's preface, though not negotiated", 'RFC 9113 section 3.4', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
  bad('two empty lines before the request', 'RFC 9112 section 2.2', `\r\n\r\n${request()}`),
  bad('a bare LF before the request', LINES, `\n${request()}`),
  bad('bytes of every value', BYTES, Buffer.from(Array.from({ length: 256 }, (_, code) => code))),
  bad('a ClientHello within TLS', START, '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'),
  bad("another protocol's greeting", START, 'EHLO evil.example\r\n'),
  bad('a response', START, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
];

const lawful: readonly HostileCase[] = [
  {
    item: 6,
    name: 'one empty line before the request',
    source: 'RFC 9112 section 2.2',
    send: `\r\n${request()}`,
    expect: forwarded('GET /'),
  },
  {
    item: 6,
    name: 'bytes above 127 and tabs in a value',
    source: 'RFC 9110 section 5.5',
    send: request('/', ['A: \xe9\xff\x80 \t \xc3\xa9']),
    expect: also(forwarded('GET /'), ({ requests }) =>
      assert.deepEqual(requests[0]!.fields('a'), ['\xe9\xff\x80 \t \xc3\xa9']),
    ),
  },
  {
    item: 6,
    name: 'every character that a name may have',
    source: 'RFC 9110 section 5.6.2',
    send: request('/', ["!#$%&'*+-.^`|~0a: b"]),
    expect: also(forwarded('GET /'), ({ requests }) =>
      assert.deepEqual(requests[0]!.fields("!#$%&'*+-.^`|~0a"), ['b']),
    ),
  },
  {
    item: 6,
    name: 'a method in lower case, which is another method than GET',
    source: 'RFC 9110 section 9.1',
    send: request('/', [], 'get'),
    expect: forwarded('get /'),
  },
  {
    item: 6,
    name: 'a head in single bytes',
    source: 'RFC 9112 section 2.2',
    send: ({ client }) => client.send(...request('/', ['A: b'])),
    expect: forwarded('GET /'),
  },
];

export const lineEndCases: readonly HostileCase[] = [
  ...lineEnds,
  ...folds,
  ...names,
  ...control([0, 1, 7, 8, 11, 12, 14, 27, 31, 127]),
  ...startLines,
  ...lawful,
];
