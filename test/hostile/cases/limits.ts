// Items 7 and 8: more than is accepted. What is over a limit is refused whole; nothing of it is dropped silently.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { also, forwarded, type HostileCase, refused, SMUGGLED } from '../hostile-case.ts';

const DROPPED = 'Node CVE-2026-58044';
const SIZE = 'RFC 9110 section 15.5.15, RFC 6585 section 5; Node CVE-2018-12121';

/** 100 are accepted; Host is one. */
const fields = (count: number): string[] => Array.from({ length: count }, (_, i) => `F${i}: ${i}`);

const counts: readonly HostileCase[] = [101, 128, 257, 1_000, 1_024, 2_000, 5_000].map((count) => ({
  item: 7,
  name: `${count} fields, Transfer-Encoding last`,
  source: DROPPED,
  send: `${request('/', [...fields(count - 2), 'Transfer-Encoding: chunked'], 'POST')}0\r\n\r\n${SMUGGLED}`,
  expect: refused(431),
  danger: ({ requests }) => {
    const passed = requests[0]?.head.match(/\r\nF\d+:/gi)?.length ?? count - 2;
    return passed < count - 2 ? `${count - 2 - passed} fields dropped silently` : null;
  },
}));

const last = (name: string, line: string, body: string): HostileCase => ({
  item: 7,
  name,
  source: DROPPED,
  send: request('/', [...fields(2_000), line], 'POST') + body,
  expect: refused(431),
});

const big = (name: string, send: string, status: number): HostileCase => ({
  item: 8,
  name,
  source: SIZE,
  send,
  expect: refused(status),
});

const KIB = 1024;

export const limitCases: readonly HostileCase[] = [
  {
    item: 7,
    name: '100 fields, as many as are accepted',
    source: DROPPED,
    send: request('/', fields(99)),
    expect: also(forwarded('GET /'), ({ requests }) => {
      for (let i = 0; i < 99; i++) assert.deepEqual(requests[0]!.fields(`f${i}`), [`${i}`]);
    }),
  },
  ...counts,
  last('Content-Length behind 2,000 fields', `Content-Length: ${SMUGGLED.length}`, SMUGGLED),
  last('a second Host behind 2,000 fields', 'Host: other.localhost', ''),
  last('Connection: close behind 2,000 fields', 'Connection: close', ''),
  big('a request line of 64 KiB', request(`/${'a'.repeat(64 * KIB)}`), 414),
  big('a query of 64 KiB', request(`/?${'a'.repeat(64 * KIB)}`), 414),
  big('a request line of 1 MiB that never ends', `GET /${'a'.repeat(KIB * KIB)}`, 414),
  big('a method of 64 KiB', request('/', [], 'A'.repeat(64 * KIB)), 414),
  big('a method that never ends', 'A'.repeat(64 * KIB), 414),
  big('a value of 33 KiB', request('/', [`A: ${'x'.repeat(33 * KIB)}`]), 431),
  big('a value of 1 MiB that never ends', `GET / HTTP/1.1\r\nHost: app.localhost\r\nA: ${'x'.repeat(KIB * KIB)}`, 431),
  big('a name of 64 KiB', request('/', [`${'A'.repeat(64 * KIB)}: b`]), 431),
  big('a name of 64 KiB without a colon', request('/', ['A'.repeat(64 * KIB)]), 431),
  big('1,000 small fields', request('/', Array(1_000).fill('a: b')), 431),
  big('10,000 cookies', request('/', Array(10_000).fill('Cookie: a=b')), 431),
  big('5,000 names in Connection', request('/', [`Connection: ${Array(5_000).fill('close1').join()}`]), 431),
  {
    item: 8,
    name: 'a value of 16 KiB, which is accepted, whole',
    source: SIZE,
    send: request('/', [`A: ${'x'.repeat(16 * KIB)}`]),
    expect: also(forwarded('GET /'), ({ requests }) => assert.equal(requests[0]!.fields('a')[0]!.length, 16 * KIB)),
  },
  {
    item: 8,
    name: '2,000 names in Connection, in less than 32 KiB',
    source: 'RFC 9110 section 7.6.1; Node CVE-2026-21717 (work per name)',
    send: request('/', [
      `Connection: ${fields(2_000)
        .map((line) => line.split(':')[0])
        .join()}`,
      'F1999: x',
      'A: b',
    ]),
    expect: also(forwarded('GET /'), ({ requests }) => {
      assert.deepEqual(requests[0]!.fields('f1999'), []);
      assert.deepEqual(requests[0]!.fields('a'), ['b']);
    }),
  },
];
