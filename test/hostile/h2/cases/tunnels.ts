// Items 14 and 23: CONNECT, with and without :protocol. An extended CONNECT becomes an upgrade behind us; no byte of it
// passes before the 101, and no protocol in which another HTTP could hide.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { listElements } from '../../../../src/http/grammar.ts';
import { data, END_STREAM, rstStream } from '../../../support/h2-frames.ts';
import { type FieldPair, headers } from '../../../support/h2-headers.ts';
import { ok } from '../../../support/origin.ts';
import type { ReceivedMessage } from '../../../support/raw-message.ts';
import { switching } from '../../cases/upgrade.ts';
import { SMUGGLED, show } from '../../hostile-case.ts';
import { type H2Case, type H2Expectation, pseudo, refused } from '../h2-case.ts';
import { INJECTED } from '../h2-dangers.ts';

const EXTENDED = 'RFC 8441 section 4';
const PLAIN = 'RFC 9113 section 8.5; Traefik CVE-2026-71324';
const H2C = 'RFC 9113 section 3.1 (h2c smuggling)';
const EARLY = 'Pingora CVE-2026-2833; RFC 8441 section 5';

const MALFORMED = refused('PROTOCOL_ERROR');

const connect = (protocol: string | null, more: readonly FieldPair[] = []): FieldPair[] => [
  ...pseudo({ ':method': 'CONNECT' }),
  ...(protocol === null ? [] : [[':protocol', protocol] as const]),
  ['sec-websocket-version', '13'],
  ...more,
];

const input = (name: string, source: string, fields: readonly FieldPair[], expect: H2Expectation): H2Case => ({
  item: 14,
  name,
  source,
  send: headers(1, fields),
  expect,
});

const asksH2c: NonNullable<H2Case['danger']> = ({ requests }) =>
  listElements(requests[0]?.fields('upgrade').join() ?? '').some((protocol) => /^h2c?$/i.test(protocol))
    ? 'Upgrade: h2c passed on'
    : null;

/** 101 with the answer to the key that the proxy has made (RFC 6455 section 1.3), which some check. */
export function opened(asked: ReceivedMessage): string {
  const key = `${asked.fields('sec-websocket-key')[0]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return switching('websocket', '', `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`);
}

const hidden: readonly H2Case[] = ['h2c', 'H2C', 'h2', 'h2c-14'].map((protocol) => ({
  ...input(`:protocol: ${protocol}`, H2C, connect(protocol), refused(501)),
  danger: asksH2c,
}));

const malformed: readonly H2Case[] = [
  ...['', 'websocket, h2c', 'web socket', `x\r\n${INJECTED}: yes`, 'x\r\n\r\n']
    .map((protocol) => input(`:protocol: ${show(protocol) || 'empty'}`, EXTENDED, connect(protocol), MALFORMED))
    .map((hostile) => ({ ...hostile, danger: asksH2c })),
  input('two :protocol', EXTENDED, connect('websocket', [[':protocol', 'websocket']]), MALFORMED),
  input(
    ':protocol and no :path',
    EXTENDED,
    connect('websocket').filter(([name]) => name !== ':path'),
    MALFORMED,
  ),
  input(
    ':protocol and no :scheme',
    EXTENDED,
    connect('websocket').filter(([name]) => name !== ':scheme'),
    MALFORMED,
  ),
  input('upgrade and connection beside :protocol', EXTENDED, connect('websocket', [['upgrade', 'h2c']]), MALFORMED),
  input('CONNECT with :path and :scheme', PLAIN, connect(null), MALFORMED),
  input(
    'CONNECT to an authority',
    PLAIN,
    [
      [':method', 'CONNECT'],
      [':authority', 'app.localhost:443'],
    ],
    refused(501),
  ),
];

/** As one WebSocket handshake over HTTP/1.1, whatever came with it. */
const asksWebSocket = (requests: readonly { fields(name: string): string[] }[]): void => {
  const [asked] = requests;
  for (const name of ['upgrade', 'connection', 'sec-websocket-key']) assert.equal(asked!.fields(name).length, 1, name);
  assert.deepEqual(asked!.fields('upgrade'), ['websocket']);
  assert.deepEqual(asked!.fields('connection'), ['Upgrade']);
  assert.match(asked!.fields('sec-websocket-key')[0]!, /^[A-Za-z0-9+/]{22}==$/);
  assert.deepEqual(asked!.fields('content-length'), []);
};

const refusals: readonly H2Case[] = [
  ['200, which would open it', ok('no'), '502'],
  ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', '403'],
  ['101 for another protocol', switching('h2c'), '502'],
  ['101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n', '502'],
].map(([name, answer, outcome]) => ({
  item: 14,
  name: `content right behind an extended CONNECT that is answered with ${name}`,
  source: EARLY,
  script: (asked, peer) => peer.send(asked.startLine.includes('/smuggled') ? ok('poison') : answer!),
  send: Buffer.concat([headers(1, connect('websocket')), data(1, SMUGGLED)]),
  expect: {
    streams: { 1: outcome! },
    ends: 'kept',
    origin: ['GET /'],
    check: ({ requests, leftover }) => {
      asksWebSocket(requests);
      assert.equal(leftover, '');
    },
  },
}));

export const tunnelCases: readonly H2Case[] = [
  ...hidden,
  ...malformed,
  ...refusals,
  {
    item: 14,
    name: 'fields of a handshake that the client may not set',
    source: EXTENDED,
    script: (_asked, peer) => peer.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
    send: headers(1, [
      ...connect('websocket'),
      ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['sec-websocket-key', 'x'],
      ['content-length', '5'],
    ]),
    expect: {
      streams: { 1: '403' },
      ends: 'kept',
      origin: ['GET /'],
      check: ({ requests }) => asksWebSocket(requests),
    },
  },
  {
    item: 14,
    name: 'content before the answer, and a tunnel',
    source: EARLY,
    script: async (asked, peer) => {
      await peer.send(opened(asked));
      await peer.until('early bird');
      await peer.send('worm');
      peer.finish();
    },
    send: async ({ client, asked }) => {
      client.send(headers(1, connect('websocket')), data(1, 'early'));
      await asked();
      client.data(1, ' bird', END_STREAM);
      await client.response(1);
    },
    expect: {
      streams: { 1: '200' },
      ends: 'kept',
      origin: ['GET /'],
      upstream: 'dropped',
      check: (seen) => {
        asksWebSocket(seen.requests);
        assert.equal(seen.message(1).body, 'worm');
        assert.equal(seen.leftover, 'early bird');
        for (const name of ['upgrade', 'connection', 'sec-websocket-accept'])
          assert.deepEqual(seen.message(1).values(name), [], name);
      },
    },
  },
  {
    item: 14,
    name: 'an extended CONNECT that ends at once',
    source: 'RFC 8441 section 5.1',
    script: async (asked, peer) => {
      await peer.send(opened(asked));
      await peer.when(() => peer.ended !== 'no');
      peer.finish();
    },
    send: headers(1, connect('websocket'), END_STREAM),
    expect: { streams: { 1: '200' }, ends: 'kept', origin: ['GET /'], upstream: 'dropped' },
  },
  {
    item: 14,
    name: 'content behind an extended CONNECT that is never answered, and its reset',
    source: EARLY,
    script: () => {},
    send: async ({ client, asked }) => {
      client.send(headers(1, connect('websocket')), data(1, 'early'));
      await asked();
      client.send(data(1, ' bird'), rstStream(1));
      await client.roundTrip();
    },
    expect: {
      streams: { 1: '' },
      ends: 'kept',
      origin: ['GET /'],
      upstream: 'dropped',
      check: ({ leftover }) => assert.equal(leftover, ''),
    },
    danger: ({ leftover }) => (leftover.includes('early') ? 'bytes tunnelled before 101' : null),
  },
];
