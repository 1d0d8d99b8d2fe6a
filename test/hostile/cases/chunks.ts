// Item 5: chunked content, malformed in every place.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { also, type Expectation, forwarded, type HostileCase, refused, SMUGGLED, show } from '../hostile-case.ts';

const SIZE = 'RFC 9112 section 7.1';
const EXTENSION = 'RFC 9112 section 7.1.1';
const BARE_LF = 'RFC 9112 section 7.1; Traefik GHSA-5423-jcjm-2gpv';
const EXTENSION_LF = 'Kestrel CVE-2025-55315; RFC 9112 section 7.1.1';
const EXTENSION_FLOOD = 'Node CVE-2024-22019';
const END = 'RFC 9112 section 7.1; Node CVE-2022-32215';
const TRAILER = 'RFC 9110 section 6.5.1; RFC 9112 section 7.1.2';

const HEAD = request('/', ['Transfer-Encoding: chunked'], 'POST');
const LAST = '0\r\n\r\n';

/** The origin never learns of an end that the content did not have. */
const notWhole = (status: number): Expectation => ({
  ...refused(status),
  begun: true,
  check: ({ leftover }) => assert.doesNotMatch(leftover, /0\r\n\r\n$|smuggled/),
});

const malformed = (name: string, source: string, ...pieces: readonly string[]): HostileCase => ({
  item: 5,
  name,
  source,
  send: ({ client }) => client.send(HEAD + pieces[0]!, ...pieces.slice(1)),
  expect: notWhole(400),
  smuggles: true,
});

const sizes: readonly HostileCase[] = [
  '0x10',
  '-1',
  '+5',
  ' 5',
  '5 ',
  '5\t',
  '\t5',
  '5_0',
  '5h',
  '',
  'g',
  '5,5',
  'fffffffffffffffff',
  'ffffffffffffffff',
  '10000000000000000',
  '00000000000000000000005',
  '5\0',
  '5\x0b',
  '\xb5',
  '"5"',
].map((size) => malformed(`chunk size ${show(size) || '(empty)'}`, SIZE, `${size}\r\nhello\r\n${LAST}`));

const ends: readonly HostileCase[] = [
  malformed('bare LF behind the size', BARE_LF, `5\nhello\r\n${LAST}`),
  malformed('bare LF behind the data', BARE_LF, `5\r\nhello\n${LAST}`),
  malformed('bare CR behind the size', BARE_LF, `5\rhello\r\n${LAST}`),
  malformed('CR CR LF behind the size', BARE_LF, `5\r\r\nhello\r\n${LAST}`),
  malformed('bare LF behind the last chunk', BARE_LF, `0\n\r\n${SMUGGLED}`),
  malformed('no line end behind the data', SIZE, `5\r\nhello${LAST}`),
  malformed('more data than its size', SIZE, `3\r\nhello\r\n${LAST}`),
  malformed('less data than its size', SIZE, `7\r\nhello\r\n${LAST}`),
  malformed('CR and another byte behind the data', SIZE, `5\r\nhello\rX${LAST}`),
  malformed('two bytes in place of a line end', SIZE, `5\r\nhelloXX${LAST}`),
  malformed('an empty line before the size', SIZE, `\r\n5\r\nhello\r\n${LAST}`),
  malformed('a request where a chunk should be', SIZE, SMUGGLED),
  malformed('a request where the last line end should be', END, `0\r\n${SMUGGLED}`),
  malformed('a size that is cut before its line ends', END, '5', '\n', 'hello'),
];

/** Where RFC 9112 section 2.2 lets a recipient take a bare LF for a line end. */
const lenient: readonly HostileCase[] = [
  {
    item: 5,
    name: 'bare LF behind the trailers',
    source: BARE_LF,
    send: `${HEAD}0\r\n\n${SMUGGLED}`,
    expect: notWhole(400),
  },
];

const extensions: readonly HostileCase[] = [
  malformed('bare LF in an extension', EXTENSION_LF, `1;\nx\r\nx\r\n${LAST}`),
  malformed(
    'bare LF in an extension, chunk and request in what follows',
    EXTENSION_LF,
    `2;\nxx\r\n0\r\n\r\n${SMUGGLED}`,
  ),
  malformed('bare CR in an extension', EXTENSION_LF, `1;\rx\r\nx\r\n${LAST}`),
  malformed('NUL in an extension', EXTENSION, `1;a=\0\r\nx\r\n${LAST}`),
  malformed('a quoted extension across lines', EXTENSION, `1;a="\r\nx"\r\nx\r\n${LAST}`, ''),
  malformed('an extension of 1 MB', EXTENSION_FLOOD, `1;a=${'x'.repeat(1024 * 1024)}\r\nx\r\n${LAST}`),
  malformed(
    '1 MB of extensions in small chunks',
    EXTENSION_FLOOD,
    `1;a=${'x'.repeat(200)}\r\nx\r\n`.repeat(5_000) + LAST,
  ),
  malformed('1 MB of extension behind the last chunk', EXTENSION_FLOOD, `0;a=${'x'.repeat(1024 * 1024)}\r\n\r\n`),
];

const lawful: readonly HostileCase[] = [
  ['zeros before the size', `0005\r\nhello\r\n000\r\n\r\n`],
  ['an upper-case size', `A\r\nhelloworld\r\n${LAST}`],
  ['extensions, which are dropped', `5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n`],
  ['single bytes as chunks', `${[...'hello'].map((byte) => `1\r\n${byte}\r\n`).join('')}${LAST}`],
  ['a request as a chunk', `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${LAST}`],
].map(([name, body]) => ({
  item: 5,
  name: name!,
  source: SIZE,
  smuggles: true,
  send: HEAD + body,
  expect: also(forwarded('POST /'), ({ requests }) => {
    assert.match(requests[0]!.body, /^(hello|helloworld|GET \/smuggled[\s\S]*)$/);
    assert.doesNotMatch(requests[0]!.rawBody, /;/);
  }),
}));

const trailers: readonly HostileCase[] = [
  {
    item: 5,
    name: 'trailers that say framing, host and who the client is',
    source: TRAILER,
    send: `${HEAD}5\r\nhello\r\n0\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\nX-Sum: 7\r\n\r\n`,
    expect: also(forwarded('POST /'), ({ requests }) => assert.deepEqual(requests[0]!.trailers, ['X-Sum: 7'])),
    danger: ({ requests }) =>
      requests[0]?.trailers.some((line) => /^(content-length|transfer-encoding|host):/i.test(line))
        ? 'framing or Host in trailers passed on'
        : null,
  },
  malformed('a trailer with a bare LF', TRAILER, '0\r\nA: b\nC: d\r\n\r\n'),
  malformed('a trailer without a colon', TRAILER, '0\r\nA\r\n\r\n'),
  malformed('a trailer with a space before its colon', TRAILER, '0\r\nA : b\r\n\r\n'),
  malformed('a folded trailer', TRAILER, '0\r\nA: b\r\n c\r\n\r\n'),
  { ...malformed('a trailer of 1 MB', TRAILER, `0\r\nA: ${'x'.repeat(1024 * 1024)}\r\n\r\n`), expect: notWhole(431) },
  { ...malformed('5,000 trailers', TRAILER, `0\r\n${'A: b\r\n'.repeat(5_000)}\r\n`), expect: notWhole(431) },
];

export const chunkCases: readonly HostileCase[] = [
  ...sizes,
  ...ends,
  ...lenient,
  ...extensions,
  ...lawful,
  ...trailers,
];
