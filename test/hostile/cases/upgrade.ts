// Item 14: changes of protocol. Bytes pass through only behind a 101 that answers what was asked for.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import type { Peer } from '../../support/peer.ts';
import { also, forwarded, type HostileCase, SMUGGLED } from '../hostile-case.ts';
import type { Observation } from '../observation.ts';

const EARLY = 'Pingora CVE-2026-2833; RFC 9110 section 7.8';
const UPGRADE = 'RFC 9110 section 7.8';
const H2C = 'RFC 9113 section 3.1 (h2c smuggling)';

/** With the key and the answer of RFC 6455 section 1.3, which some proxies check. */
const KEY = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
const ACCEPT = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
export const ASK = ['Connection: Upgrade', 'Upgrade: websocket', ...KEY];

export const switching = (protocol: string, more = '', accept = ACCEPT): string =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${accept}\r\n${more}\r\n`;

const noUpgrade = ({ requests }: Observation): void => {
  for (const name of ['upgrade', 'connection', 'http2-settings']) assert.deepEqual(requests[0]!.fields(name), [], name);
};

const asksH2c = ({ requests }: Observation): string | null =>
  requests[0]?.fields('upgrade').some((value) => /h2c/i.test(value)) ? 'Upgrade: h2c passed on' : null;

const h2c: readonly HostileCase[] = [
  ['Upgrade: h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ']],
  ['Upgrade: websocket, h2c', ['Connection: upgrade', 'Upgrade: websocket, H2C', ...KEY]],
  ['h2c in a second Upgrade field', [...ASK, 'Upgrade: h2c']],
  ['Upgrade: h2', ['Connection: Upgrade', 'Upgrade: h2']],
].map(([name, lines]) => ({
  item: 14,
  name: name as string,
  source: H2C,
  send: request('/', lines as string[]),
  expect: also(forwarded('GET /'), noUpgrade),
  danger: asksH2c,
}));

const notUpgrades: readonly HostileCase[] = [
  ['an upgrade with content', request('/', [...ASK, 'Content-Length: 5'], 'POST'), 'hello'],
  [
    'an upgrade with chunked content',
    request('/', [...ASK, 'Transfer-Encoding: chunked'], 'POST'),
    '5\r\nhello\r\n0\r\n\r\n',
  ],
  ['Upgrade that Connection does not name', request('/', ['Upgrade: websocket']), ''],
  ['Connection: upgrade without Upgrade', request('/', ['Connection: upgrade']), ''],
].map(([name, head, body]) => ({
  item: 14,
  name: name!,
  source: UPGRADE,
  send: head! + body!,
  expect: also(forwarded(`${head!.split(' ')[0]} /`), noUpgrade),
}));

const refusals: readonly HostileCase[] = [ok('no'), 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'].map(
  (answer) => ({
    item: 14,
    name: `a request right behind an upgrade that is answered with ${answer.slice(9, 12)}`,
    source: EARLY,
    script: (asked, peer) => peer.send(asked.startLine.includes('/smuggled') ? ok('poison') : answer),
    send: request('/', ASK) + SMUGGLED,
    expect: { client: [Number(answer.slice(9, 12))], ends: 'closed', origin: ['GET /'] },
  }),
);

const ends = async (client: Peer): Promise<void> => {
  client.finish();
  await client.end();
};

export const upgradeCases: readonly HostileCase[] = [
  ...h2c,
  ...notUpgrades,
  ...refusals,
  {
    item: 14,
    name: 'an upgrade in HTTP/1.0',
    source: UPGRADE,
    send: request('/', ASK, 'GET', 'HTTP/1.0'),
    expect: { client: [200], ends: 'closed', origin: ['GET /'], check: noUpgrade },
  },
  {
    item: 14,
    name: 'bytes behind an upgrade that is never answered',
    source: EARLY,
    script: () => {},
    send: async ({ client, asked }) => {
      await client.send(`${request('/', [...ASK, 'Content-Length: 0'], 'POST')}early`);
      const peer = await asked();
      await client.send(' bird');
      peer.finish();
    },
    unfinished: true,
    expect: { client: [502], ends: 'closed', origin: ['POST /'], check: ({ leftover }) => assert.equal(leftover, '') },
    danger: ({ leftover }) => (leftover.includes('early') ? 'bytes tunnelled before 101' : null),
  },
  {
    item: 14,
    name: 'bytes before the 101, and a tunnel',
    source: EARLY,
    script: async (_asked, peer) => {
      await peer.send(switching('websocket'));
      await peer.until('early bird');
      await peer.send('worm');
      peer.finish();
    },
    send: async ({ client, asked }) => {
      await client.send(`${request('/', ASK)}early`);
      await asked();
      await client.send(' bird');
      await client.until('worm');
      await ends(client);
    },
    unfinished: true,
    expect: { client: [101], ends: 'cut', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 14,
    name: '101 that nobody asked for, and a request behind it',
    source: UPGRADE,
    script: (_asked, peer) => peer.send(switching('websocket') + ok('poison')),
    send: request(),
    expect: { client: [502], ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 14,
    name: '101 for another protocol than was asked for',
    source: UPGRADE,
    script: (_asked, peer) => peer.send(switching('h2c')),
    send: request('/', ASK),
    expect: { client: [502], ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 14,
    name: '101 without Upgrade',
    source: UPGRADE,
    script: (_asked, peer) => peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n'),
    send: request('/', ASK),
    expect: { client: [502], ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 14,
    name: '101 with Content-Length and Transfer-Encoding',
    source: 'RFC 9112 section 6.3',
    script: (_asked, peer) => {
      void peer.send(switching('websocket', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'));
    },
    send: request('/', ASK),
    expect: { client: [502], ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 14,
    name: '101 with Content-Length, which says nothing about the bytes that follow',
    source: 'RFC 9110 section 8.6',
    script: (_asked, peer) => {
      void peer.send(`${switching('websocket', 'Content-Length: 5\r\n')}bytes`);
      peer.finish();
    },
    send: async ({ client }) => {
      await client.send(request('/', ASK));
      await client.until('bytes');
      await ends(client);
    },
    unfinished: true,
    expect: {
      client: [101],
      ends: 'cut',
      origin: ['GET /'],
      check: ({ answers }) => assert.doesNotMatch(answers[0]!.head, /content-length|transfer-encoding/i),
    },
  },
];
