// Item 13: expectations.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import { type HostileCase, refused, SMUGGLED } from '../hostile-case.ts';

const EXPECT = 'RFC 9110 section 10.1.1';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const expecting = (length: number): string =>
  request('/', ['Expect: 100-continue', `Content-Length: ${length}`], 'POST');

const unknown: readonly HostileCase[] = [
  ['nonsense', ['Expect: nonsense']],
  ['nothing', ['Expect:']],
  ['100-continue and more', ['Expect: 100-continue, more']],
  ['100-continue, and more in a second field', ['Expect: 100-continue', 'Expect: more']],
  ['100-continue twice', ['Expect: 100-continue', 'Expect: 100-continue']],
  ['100-continue=x', ['Expect: 100-continue=x']],
].map(([name, lines]) => ({
  item: 13,
  name: `Expect: ${name}`,
  source: EXPECT,
  send: request('/', [...(lines as string[]), 'Content-Length: 1'], 'POST'),
  expect: refused(417),
}));

/** The client may or may not send its content now: nothing can be read behind it. */
const early: readonly HostileCase[] = [
  '417 Expectation Failed',
  '413 Content Too Large',
  '401 Unauthorized',
  '200 OK',
].map((status) => ({
  item: 13,
  name: `${status} in place of 100, and a request where the content was to be`,
  source: 'RFC 9110 section 10.1.1; RFC 9112 section 9.3',
  script: (_asked, peer) => peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`),
  send: async ({ client }) => {
    await client.send(expecting(SMUGGLED.length));
    await client.message();
    await client.send(SMUGGLED);
  },
  expect: {
    client: [Number(status.slice(0, 3))],
    ends: 'closed',
    origin: [],
    begun: true,
    upstream: 'dropped',
    check: ({ leftover }) => assert.match(leftover, /^POST \/ [\s\S]*\r\nExpect: 100-continue\r\n[\s\S]*\r\n\r\n$/),
  },
}));

export const expectCases: readonly HostileCase[] = [
  ...unknown,
  ...early,
  {
    item: 13,
    name: 'content sent before the 100',
    source: EXPECT,
    script: async (_asked, peer, whole) => {
      await whole;
      await peer.send(CONTINUE, ok());
    },
    send: `${expecting(5)}hello`,
    expect: { client: [100, 200], ends: 'kept', origin: ['POST /'] },
  },
  {
    item: 13,
    name: '100 twice, and once more behind the content',
    source: EXPECT,
    script: async (_asked, peer, whole) => {
      await peer.send(CONTINUE, CONTINUE);
      await whole;
      await peer.send(CONTINUE, ok());
    },
    send: async ({ client }) => {
      await client.send(expecting(5));
      await client.message();
      await client.send('hello');
    },
    expect: { client: [100, 100, 100, 200], ends: 'kept', origin: ['POST /'] },
  },
  {
    item: 13,
    name: 'Expect without content',
    source: EXPECT,
    send: request('/', ['Expect: 100-continue']),
    expect: {
      client: [200],
      ends: 'kept',
      origin: ['GET /'],
      check: ({ requests }) => assert.deepEqual(requests[0]!.fields('expect'), []),
    },
  },
  {
    item: 13,
    name: 'Expect in HTTP/1.0',
    source: EXPECT,
    script: async (_asked, peer, whole) => {
      await whole;
      await peer.send(CONTINUE, ok());
    },
    send: `${request('/', ['Expect: 100-continue', 'Content-Length: 5'], 'POST', 'HTTP/1.0')}hello`,
    expect: { client: [200], ends: 'closed', origin: ['POST /'] },
  },
];
