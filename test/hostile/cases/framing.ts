// Items 1 to 4: how long a request is, said twice or doubtfully.
import assert from 'node:assert/strict';
import { post, request } from '../../support/chain.ts';
import { also, forwarded, type HostileCase, refused, SMUGGLED, show } from '../hostile-case.ts';

const BOTH = 'RFC 9112 section 6.1; CVE-2026-2835';
const TWICE = 'RFC 9112 section 6.3 item 5; Node CVE-2018-7159, CVE-2022-35256';
const LENGTH = 'RFC 9110 section 8.6; Node CVE-2018-7159, CVE-2023-30589';
const CODING = 'RFC 9112 sections 6.1, 6.3; Node CVE-2019-15605, CVE-2021-22959';

/** A request whose content is `body` by one reading, and which hides another request by the other. */
const both = (name: string, fields: readonly string[], body: string, version = 'HTTP/1.1'): HostileCase => ({
  item: 1,
  name,
  source: BOTH,
  send: request('/', fields, 'POST', version) + body,
  expect: refused(400),
  smuggles: true,
});

const CL_TE = `0\r\n\r\n${SMUGGLED}`;
const TE_CL = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const chunked = 'Transfer-Encoding: chunked';

const bothCases: readonly HostileCase[] = [
  both('Content-Length, then chunked (CL.TE)', [`Content-Length: ${CL_TE.length}`, chunked], CL_TE),
  both('chunked, then Content-Length (CL.TE)', [chunked, `Content-Length: ${CL_TE.length}`], CL_TE),
  both('Content-Length ends inside a chunk (TE.CL)', ['Content-Length: 4', chunked], TE_CL),
  both('Content-Length: 0 and chunked', ['Content-Length: 0', chunked], TE_CL),
  both('names in odd case', ['cOnTeNt-LeNgTh: 3', 'TRANSFER-encoding: Chunked'], '0\r\n\r\n'),
  both('both, each named by Connection', ['Connection: content-length', 'Content-Length: 3', chunked], '0\r\n\r\n'),
  both(
    'both, chunked named by Connection',
    ['Connection: transfer-encoding', 'Content-Length: 3', chunked],
    '0\r\n\r\n',
  ),
  both('both, with a coding nobody knows', ['Content-Length: 5', 'Transfer-Encoding: x'], 'hello'),
  both('both, in HTTP/1.0', [`Content-Length: ${CL_TE.length}`, chunked], CL_TE, 'HTTP/1.0'),
  {
    item: 1,
    name: 'both on a GET',
    source: BOTH,
    send: request('/', ['Content-Length: 5', chunked]) + CL_TE,
    expect: refused(400),
    smuggles: true,
  },
];

const withLengths = (name: string, lines: readonly string[]): HostileCase => ({
  item: 2,
  name,
  source: TWICE,
  send: `${request('/', lines, 'POST')}hello${SMUGGLED}`,
  expect: refused(400),
  smuggles: true,
});

/** Which the RFC lets a recipient take for one. */
const equalLengths = (name: string, lines: readonly string[]): HostileCase => {
  const { smuggles: _, ...hostile } = withLengths(name, lines);
  return hostile;
};

const twice: readonly HostileCase[] = [
  withLengths('two lengths that differ', ['Content-Length: 5', `Content-Length: ${5 + SMUGGLED.length}`]),
  withLengths('the same, the other way round', [`Content-Length: ${5 + SMUGGLED.length}`, 'Content-Length: 5']),
  equalLengths('two equal lengths', ['Content-Length: 5', 'Content-Length: 5']),
  equalLengths('two equal lengths in different case', ['content-length: 5', 'CONTENT-LENGTH: 5']),
  withLengths('lengths far apart', ['Content-Length: 5', 'A: b', 'C: d', 'Content-Length: 0']),
  withLengths('an empty length and another', ['Content-Length:', 'Content-Length: 5']),
];

const malformedLengths: readonly HostileCase[] = [
  '+5',
  '-1',
  '-0',
  '0x5',
  '5,5',
  '5, 5',
  '5 5',
  '5;',
  '5.0',
  '5e0',
  "'5'",
  '"5"',
  '5_0',
  'five',
  '',
  '9007199254740993',
  '18446744073709551621',
  '00000000000000000000000000000005',
  '5\x0b',
  '\x0c5',
  '5\xa0',
  '\xd9\xa5',
].map((value) => ({
  item: 3,
  name: `Content-Length: ${value === '' ? '(empty)' : show(value)}`,
  source: LENGTH,
  send: `${request('/', [`Content-Length: ${value}`], 'POST')}hello`,
  expect: refused(400),
}));

const lawfulLengths: readonly HostileCase[] = [
  ['whitespace around the length, which is no part of it', 'Content-Length:   5  '],
  ['no whitespace before the length', 'Content-Length:5'],
  ['zeros before the length', 'Content-Length: 005'],
].map(([name, line]) => ({
  item: 3,
  name: name!,
  source: 'RFC 9112 section 5.1; RFC 9110 section 8.6',
  send: `${request('/', [line!], 'POST')}hello`,
  expect: also(forwarded('POST /'), ({ requests }) => {
    // Written anew, so that the next reader has nothing to interpret.
    assert.match(requests[0]!.head, /\r\nContent-Length: 5\r\n/);
    assert.equal(requests[0]!.body, 'hello');
  }),
}));

const withCoding = (name: string, lines: readonly string[], status = 400, version = 'HTTP/1.1'): HostileCase => ({
  item: 4,
  name,
  source: CODING,
  send: request('/', lines, 'POST', version) + CL_TE,
  expect: refused(status),
  smuggles: true,
});

/** A fold may be read as a space, and a list that ends in chunked has an end (RFC 9112 sections 5.2, 6.3). */
const readable = (name: string, line: string): HostileCase => {
  const { smuggles: _, ...hostile } = withCoding(name, [line]);
  return hostile;
};

const codings: readonly HostileCase[] = [
  withCoding('a space before the colon', ['Transfer-Encoding : chunked']),
  withCoding('a tab before the colon', ['Transfer-Encoding\t: chunked']),
  {
    item: 4,
    name: 'a tab in place of the space before chunked, which is lawful but not read alike by all',
    source: 'RFC 9112 section 5.1',
    send: `${request('/', ['Transfer-Encoding:\tchunked'], 'POST')}5\r\nhello\r\n0\r\n\r\n`,
    expect: refused(400),
  },
  withCoding('a vertical tab before chunked', ['Transfer-Encoding: \x0bchunked']),
  withCoding('a form feed behind chunked', ['Transfer-Encoding: chunked\x0c']),
  withCoding('a NUL behind chunked', ['Transfer-Encoding: chunked\0']),
  readable('chunked on a folded line', 'Transfer-Encoding:\r\n chunked'),
  withCoding('two Transfer-Encodings', [chunked, chunked]),
  withCoding('two Transfer-Encodings that differ', [chunked, 'Transfer-Encoding: identity']),
  withCoding('the same, the other way round', ['Transfer-Encoding: identity', chunked]),
  withCoding('chunked in HTTP/1.0', [chunked], 400, 'HTTP/1.0'),
  withCoding('chunked and keep-alive in HTTP/1.0', [chunked, 'Connection: keep-alive'], 400, 'HTTP/1.0'),
  ...[
    'xchunked',
    'chunkedx',
    'chunked, identity',
    'identity',
    'chunked, chunked',
    'chunked, gzip',
    'chunked;q=1',
    'chunked x',
    '"chunked"',
    'chunked\xa0',
    'chunk',
    'cow',
    '',
  ].map((value) => withCoding(`Transfer-Encoding: ${show(value) || '(empty)'}`, [`Transfer-Encoding: ${value}`])),
  ...['chunked,', ',chunked', 'identity, chunked', 'gzip, chunked'].map((value) =>
    readable(`Transfer-Encoding: ${value}`, `Transfer-Encoding: ${value}`),
  ),
  withCoding('Transfer-Encoding: gzip alone', ['Transfer-Encoding: gzip'], 501),
];

const lawfulCodings: readonly HostileCase[] = [
  ['chunked in odd case', 'Transfer-Encoding: ChUnKeD'],
  ['spaces around chunked, which are no part of it', 'Transfer-Encoding:  chunked '],
].map(([name, line]) => ({
  item: 4,
  name: name!,
  source: 'RFC 9112 sections 5.1, 7',
  send: `${request('/', [line!], 'POST')}5\r\nhello\r\n0\r\n\r\n`,
  expect: also(forwarded('POST /'), ({ requests }) => {
    assert.deepEqual(requests[0]!.fields('transfer-encoding'), ['chunked']);
    assert.deepEqual(requests[0]!.fields('content-length'), []);
    assert.equal(requests[0]!.body, 'hello');
  }),
}));

const lookalikes: readonly HostileCase[] = [
  {
    item: 4,
    name: 'Transfer_Encoding and Content_Length, with underscores',
    source: 'Caddy CVE-2026-52845',
    send: post('/', 'hello', ['Transfer_Encoding: chunked', 'Content_Length: 3']),
    expect: also(forwarded('POST /'), ({ requests }) => assert.doesNotMatch(requests[0]!.head, /_/)),
  },
  {
    item: 4,
    name: 'content on a GET, chunked, with a request in it',
    smuggles: true,
    source: 'Node CVE-2026-48931; http-proxy: unframed content',
    send: `${request('/', [chunked])}${TE_CL}`,
    expect: also(forwarded('GET /'), ({ requests }) => assert.equal(requests[0]!.body, SMUGGLED)),
  },
  {
    item: 4,
    name: 'content on a DELETE, chunked, with a request in it',
    smuggles: true,
    source: 'http-proxy 1.18.1: content without framing',
    send: `${request('/', [chunked], 'DELETE')}${TE_CL}`,
    expect: also(forwarded('DELETE /'), ({ requests }) => assert.equal(requests[0]!.body, SMUGGLED)),
  },
  {
    item: 4,
    name: 'content on a HEAD, with a length and a request in it',
    smuggles: true,
    source: 'RFC 9110 section 9.3.2',
    head: true,
    send: request('/', [`Content-Length: ${SMUGGLED.length}`], 'HEAD') + SMUGGLED,
    expect: also(forwarded('HEAD /'), ({ requests }) => assert.equal(requests[0]!.body, SMUGGLED)),
  },
];

export const framingCases: readonly HostileCase[] = [
  ...bothCases,
  ...twice,
  ...malformedLengths,
  ...lawfulLengths,
  ...codings,
  ...lawfulCodings,
  ...lookalikes,
];
