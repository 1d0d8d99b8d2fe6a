// Every way in which Perantara reads a message differently from llhttp on purpose, and why. A difference that no row covers
// fails the test; so does a row whose example is no longer one. `laxer` needs a section of the RFC that asks for it.
import { METHODS } from 'node:http';
import { isAuthority } from '../../support/strict-grammar.ts';
import type { Deliberate } from './deliberate.ts';
import { authority, hasChunkLine, hasTrailer, isChunked, line, target, values } from './shape.ts';

const HOST = 'Host: a\r\n';
const CHUNKED = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

const get = (target: string, fields = HOST, version = 'HTTP/1.1'): string =>
  `GET ${target} ${version}\r\n${fields}\r\n`;

/** Differences that requests and responses share; `start` begins an example message without framing. */
const inFraming = (start: string): readonly Deliberate[] => [
  {
    kind: 'stricter',
    what: 'Transfer-Encoding is anything but one field `chunked`',
    why: 'RFC 9112 section 6.1: other codings may be refused; lists are where two readers come to different ends',
    covers: (head) => {
      const codings = values(head, 'transfer-encoding');
      return codings.length > 1 || codings.some((value) => value.toLowerCase() !== 'chunked');
    },
    examples: ['gzip, chunked', 'identity, chunked', ',chunked', 'identity\r\nTransfer-Encoding: chunked'].map(
      (coding) => `${start}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
    ),
  },
  {
    kind: 'stricter',
    what: 'Transfer-Encoding in HTTP/1.0',
    why: 'RFC 9112 section 6.1: its framing is to be treated as faulty (CVE-2026-2835)',
    covers: (head) => isChunked(head) && /HTTP\/1\.0/.test(line(head)),
    examples: [`${start.replace('HTTP/1.1', 'HTTP/1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  },
  {
    kind: 'stricter',
    what: 'a tab beside the value of a framing field',
    why: 'valid, but readers differ: llhttp takes it before a value and not behind `chunked`',
    covers: (head, message) =>
      /\r\n(?:content-length|transfer-encoding):(?:[ \t]*\t|[^\r\n]*\t[ \t]*\r)/i.test(
        isChunked(head) ? message : head,
      ),
    examples: ['Content-Length:\t0', 'Content-Length: 0\t', 'Content-Length: \t0'].map(
      (field) => `${start}${field}\r\n\r\n`,
    ),
  },
  {
    kind: 'stricter',
    what: 'a length over 2^53 - 1 or written with more than 16 digits, a chunk size with more than 13',
    why: 'RFC 9112 section 7.1: large numerals are to be anticipated and overflow prevented; no content is that long',
    covers: (head, message) =>
      values(head, 'content-length').some((value) => Number(value) > Number.MAX_SAFE_INTEGER || value.length > 16) ||
      hasChunkLine(head, message, /^[0-9a-f]{14,}/i),
    examples: [
      `${start}Content-Length: 9007199254740992\r\n\r\n`,
      `${start}Content-Length: 00000000000000000\r\n\r\n`,
      `${start}Transfer-Encoding: chunked\r\n\r\n00000000000005\r\nhello\r\n0\r\n\r\n`,
      `${start}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    ],
  },
  {
    kind: 'stricter',
    what: 'a chunk extension with an empty name or value, or a value that is a token and a string at once',
    why: 'RFC 9112 section 7.1.1: tokens are not empty, and a value is one or the other',
    covers: (head, message) => hasChunkLine(head, message, /^[0-9a-f]+;(?:$|.*;$|[;=]|.*;[;=]|.*=(?:$|;)|.*=[^;"]+")/i),
    examples: [';;a', ';a=', ';=b', ';a=;b', ';a=b"c"'].map(
      (extension) => `${start}Transfer-Encoding: chunked\r\n\r\n5${extension}\r\nhello\r\n0\r\n\r\n`,
    ),
  },
  {
    kind: 'stricter',
    what: 'more than 256 bytes of extensions on a chunk or 16 KiB in a message',
    why: 'RFC 9112 section 7.1.1: a recipient ought to limit their total length (CVE-2024-22019; llhttp has limits of its own)',
    covers: (head, message) => hasChunkLine(head, message, /^[0-9a-f]+;.{256}/i),
    examples: [`${start}Transfer-Encoding: chunked\r\n\r\n5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`],
  },
  {
    kind: 'stricter',
    what: 'more than 50 trailers or 8 KiB of them',
    why: 'what is held in memory is limited',
    covers: (head, message) =>
      isChunked(head) && /\r\n0+(?:;[^\r\n]*)?\r\n(?:(?:[^\r\n]+\r\n){51}|[\s\S]{8192})/.test(message),
    examples: ['a: b\r\n'.repeat(51), `a: ${'b'.repeat(8200)}\r\n`].map(
      (trailers) => `${start}Transfer-Encoding: chunked\r\n\r\n0\r\n${trailers}\r\n`,
    ),
  },
  {
    kind: 'laxer',
    what: 'framing fields in trailers are dropped, not refused',
    why: 'RFC 9112 section 7.1.2: who takes the chunked coding off may discard received trailer fields; they never frame',
    covers: (head, message) => isChunked(head) && hasTrailer(message, 'content-length|transfer-encoding'),
    examples: [`${start}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n`],
  },
];

export const REQUEST_DIFFERENCES: readonly Deliberate[] = [
  ...inFraming(`POST / HTTP/1.1\r\n${HOST}`),
  {
    kind: 'laxer',
    what: '`Connection: close` in trailers does not end the connection',
    why: 'RFC 9110 section 6.5.1: fields that control the connection are not processed outside the header section',
    covers: (_head, _message, before) => hasTrailer(before, '(?:proxy-)?connection'),
    examples: [`${CHUNKED}0\r\nConnection: close\r\n\r\n${get('/')}`],
  },
  {
    kind: 'laxer',
    what: 'methods that llhttp does not know, in any case',
    why: 'RFC 9110 section 9.1: a method is any token; whether it is implemented is for the origin to say',
    covers: (head) => !METHODS.includes(line(head).split(' ')[0]!),
    examples: [get('/').replace('GET', 'get'), get('/').replace('GET', 'FOO'), get('/').replace('GET', 'GETX')],
  },
  {
    kind: 'stricter',
    what: 'more empty lines than one before a request, or such that are not CRLF',
    why: 'RFC 9112 section 2.2: at least one CRLF is to be ignored, and a bare CR or LF is not a line end',
    covers: (_head, message) => /^(?:\r\n\r|\r\n\n|\n|\r(?!\n))/.test(message),
    examples: [`\r\n\r\n${get('/')}`, `\n${get('/')}`, `\r${get('/')}`, '\r\n\n'],
  },
  {
    kind: 'stricter',
    what: 'more than one space in the request line',
    why: 'RFC 9112 section 3: single spaces; section 3.2 warns of parsing leniently',
    covers: (head) => /^\S+ (?: |[!-~]+ {2})/.test(line(head)),
    examples: [get(' /'), get('/ ')],
  },
  {
    kind: 'stricter',
    what: 'versions other than 1.0 and 1.1, other protocols, and none at all (HTTP/0.9)',
    why: 'RFC 9112 section 2.3: 505, or 400 for what is no HTTP version',
    covers: (head) => !/ HTTP\/1\.[01]$/.test(line(head)),
    examples: [get('/', HOST, 'HTTP/2.0'), get('/', HOST, 'HTTP/0.9'), get('/', HOST, 'RTSP/1.0'), 'GET /\r\n\r\n'],
  },
  {
    kind: 'stricter',
    what: 'a request line over 8 KiB, a head over 32 KiB, more than 100 fields',
    why: 'RFC 9112 section 3 and RFC 9110 section 5.4: longer ones are refused, not cut (CVE-2026-58044)',
    covers: (head) => line(head).length > 8192 || head.length > 32_700 || head.split('\r\n').length > 102,
    examples: [
      get(`/${'a'.repeat(8200)}`),
      get('/', `${HOST}A: ${'b'.repeat(33_000)}\r\n`),
      get('/', HOST + 'A: b\r\n'.repeat(100)),
    ],
  },
  {
    kind: 'stricter',
    what: 'targets that the method may not have: no path, another scheme, `*` other than for OPTIONS',
    why: 'RFC 9112 section 3.2',
    covers: (head) =>
      target(head) === '*' ? !head.startsWith('OPTIONS ') : !/^(?:\/|https?:\/\/[^/?#])/i.test(target(head)),
    examples: [get('*'), get('ftp://a/'), get('http:///a')],
  },
  {
    kind: 'stricter',
    what: 'doubtful targets: fragment, backslash, `%00`, a bad escape, an encoded dot segment behind an encoded slash',
    why: 'RFC 3986 section 3.3; who decodes them sees another path (docs/architecture.md, Paths)',
    covers: (head) =>
      /[#\\]|%00|%(?![0-9a-f]{2})/i.test(target(head)) ||
      (/%(?:2f|5c)/i.test(target(head)) && /\.|%2e/i.test(target(head))),
    examples: ['/a#b', '/a\\b', '/%00', '/%zz', '/..%2fa', '/a%5c%2e'].map((path) => get(path)),
  },
  {
    kind: 'stricter',
    what: 'more than one Host',
    why: 'RFC 9112 section 3.2: 400; node:http takes the first',
    covers: (head) => values(head, 'host').length > 1,
    examples: [get('/', HOST + HOST), get('/', `${HOST}Host: b\r\n`)],
  },
  {
    kind: 'stricter',
    what: 'a Host that is no host name or address with a port from 1 to 65535',
    why: 'RFC 9112 section 3.2: 400 for an invalid value; the router could not match it',
    covers: (head) =>
      [...values(head, 'host'), authority(head) ?? 'a'].some((host) => !isAuthority(host) || /xn--/i.test(host)),
    examples: [
      '',
      'a b',
      'a, b',
      'u@a',
      'a/b',
      'a:0',
      'a:65536',
      'a:b',
      '::1',
      '[::1',
      '1.2.3',
      'a_b',
      'a..b',
      'b\xfccher',
    ].map((value) => get('/', `Host: ${value}\r\n`)),
  },
  {
    kind: 'stricter',
    what: 'a Host that differs from the authority of an absolute-form target',
    why: 'RFC 9112 section 3.2.2 says which one counts; whoever else reads the message may take the other',
    covers: (head) =>
      authority(head) !== undefined && authority(head)!.toLowerCase() !== values(head, 'host')[0]?.toLowerCase(),
    examples: [get('http://b/'), get('http://a:80/')],
  },
  {
    kind: 'stricter',
    what: 'HTTP/1.0 without Host',
    why: 'there is no site to route it to (RFC 9110 section 7.2)',
    covers: (head) => / HTTP\/1\.0$/.test(line(head)) && values(head, 'host').length === 0,
    examples: [get('/', '', 'HTTP/1.0')],
  },
  {
    kind: 'stricter',
    what: 'an expectation beside 100-continue',
    why: 'RFC 9110 section 10.1.1: 417 for a member that is not supported; node:http looks for 100-continue only',
    covers: (head) => values(head, 'expect').join() !== '' && !/^100-continue$/i.test(values(head, 'expect').join()),
    examples: [get('/', `${HOST}Expect: 100-continue, x\r\n`)],
  },
];

const OK = 'HTTP/1.1 200 OK\r\n';
const DONE = 'Content-Length: 0\r\n\r\n';

export const RESPONSE_DIFFERENCES: readonly Deliberate[] = [
  ...inFraming(OK),
  {
    kind: 'stricter',
    what: 'empty lines before a response',
    why: 'RFC 9112 section 2.2 allows them before requests only; behind a response they are bytes that nobody asked for',
    covers: (_head, message) => /^[\r\n]/.test(message),
    examples: [`\r\n${OK}${DONE}`, `\n${OK}${DONE}`, `HTTP/1.1 103 x\r\n\r\n\r\n${OK}${DONE}`],
  },
  {
    kind: 'stricter',
    what: 'versions other than 1.0 and 1.1 and other protocols',
    why: 'RFC 9112 section 2.3',
    covers: (head) => !/^HTTP\/1\.[01] /.test(head),
    examples: ['HTTP/2.0', 'HTTP/0.9', 'RTSP/1.0', 'ICE/1.0'].map((version) => `${version} 200 OK\r\n${DONE}`),
  },
  {
    kind: 'stricter',
    what: 'status codes outside 100 to 599',
    why: 'RFC 9110 section 15: invalid, to be taken for a server error; the client gets 502',
    covers: (head) => /^\S+ (?:0|[6-9])\d\d/.test(head),
    examples: ['099', '000', '600', '999'].map((status) => `HTTP/1.1 ${status} x\r\n${DONE}`),
  },
  {
    kind: 'stricter',
    what: 'control characters in the reason phrase',
    why: 'RFC 9112 section 4: HTAB, SP, VCHAR, obs-text',
    covers: (head) => /[\0-\x08\x0b-\x1f\x7f]/.test(line(head)),
    examples: [`HTTP/1.1 200 O\0K\r\n${DONE}`, `HTTP/1.1 200 \x7f\r\n${DONE}`],
  },
  {
    kind: 'stricter',
    what: '101 that was not asked for, or without Upgrade',
    why: 'RFC 9110 section 15.2.2; bytes behind it would belong to nobody (CVE-2026-2833)',
    covers: (head) => /^\S+ 101/.test(head),
    examples: ['HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  },
  {
    kind: 'stricter',
    what: 'more than 16 interim responses',
    why: 'a flood of them never lets the client have its answer',
    covers: (_head, _message, before) => before.split('HTTP/').length > 16,
    examples: ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(17) + OK + DONE],
  },
  {
    kind: 'stricter',
    what: 'a status line over 8 KiB, a head over 64 KiB, more than 200 fields',
    why: 'RFC 9110 section 5.4: longer ones are refused, not cut',
    covers: (head) => line(head).length > 8192 || head.length > 65_500 || head.split('\r\n').length > 202,
    examples: [`HTTP/1.1 200 ${'x'.repeat(8200)}\r\n${DONE}`, `${OK}${'A: b\r\n'.repeat(201)}\r\n`],
  },
  {
    kind: 'laxer',
    what: 'an interim response that says `Connection: close` or HTTP/1.0 is followed by the final one',
    why: 'RFC 9110 section 15.2: a client must be able to parse 1xx responses received prior to a final response',
    covers: (_head, _message, before) => /HTTP\/1\.0 1\d\d|\nconnection:[^\n]*close/i.test(before),
    examples: [`HTTP/1.1 103 x\r\nConnection: close\r\n\r\n${OK}${DONE}`, `HTTP/1.0 103 x\r\n\r\n${OK}${DONE}`],
  },
];
