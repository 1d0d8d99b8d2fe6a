import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BareProxy, startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { flood, NETWORK_BYTES } from '../support/flood.ts';
import { type Origin, ok, type Script, startOrigin } from '../support/origin.ts';

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n';
const GET = `${HEAD}\r\n`;
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
/** What a sender may be ahead of the answer that refuses it. */
const AHEAD_BYTES = 4 * 1024 * 1024;

const endlessContent = (head: string): readonly (readonly [what: string, start: string, more: string])[] => [
  ['chunk size', head, '0'],
  ['chunk extension', `${head}1;a="`, ' '],
  ['chunks with extensions', head, `1;a="${'b'.repeat(200)}"\r\nx\r\n`],
  ['trailers', `${head}0\r\n`, `A: ${'b'.repeat(200)}\r\n`],
  ['a trailer', `${head}0\r\nA: `, 'b'],
];

/** The proxy still serves, and has kept nothing of what was. */
async function isWell(proxy: BareProxy, origin: Origin): Promise<void> {
  const client = await proxy.connect();
  await client.send('GET /well HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.equal((await client.message()).status, 200);
  client.destroy();
  for (const peer of origin.peers) peer.destroy();
  await proxy.idle();
  assert.deepEqual(proxy.faults, []);
  assert.equal(proxy.connections.size, 0);
}

const isForWell = (startLine: string): boolean => startLine === 'GET /well HTTP/1.1';

test('a client that sends a head or content without end is refused, and costs no memory', async (t) => {
  const script: Script = (asked, peer) => {
    if (isForWell(asked.startLine)) void peer.send(ok());
  };
  const origin = await startOrigin(t, script);
  const proxy = await startBareProxy(t, origin.port);
  const floods = [
    ['empty lines', '', '\r\n'],
    ['method', '', 'A'],
    ['target', 'GET /', 'a'],
    ['field value', `${HEAD}A: `, 'b'],
    ['fields', HEAD, 'A: b\r\n'],
    ...endlessContent(POST),
  ] as const;
  for (const [what, start, more] of floods) {
    const client = await proxy.connect();
    const taken = await flood(client, start, more, () => client.text !== '');
    assert.ok(!taken.stalled && taken.bytes < AHEAD_BYTES, `${what}: ${JSON.stringify(taken)}`);
    const { status, head } = await client.message();
    assert.match(head, /^HTTP\/1\.1 4(?:00|14|31) .*\r\n(?:.*\r\n)*Connection: close\r\n/, what);
    assert.ok(status >= 400);
    client.destroy();
  }
  await isWell(proxy, origin);
  assert.ok(
    origin.peers.every((peer) => peer.text.length < 64 * 1024),
    'nothing of it got to the origin',
  );
});

test('an upstream that answers with a head or content without end is cut off, and costs no memory', async (t) => {
  let start = '';
  let more = '';
  let taken = Promise.resolve({ bytes: 0, stalled: false });
  const origin = await startOrigin(t, (asked, peer) => {
    if (isForWell(asked.startLine)) void peer.send(ok());
    else taken = flood(peer, start, more);
  });
  const proxy = await startBareProxy(t, origin.port);
  const floods = [
    ['empty lines', '', '\r\n'],
    ['reason', 'HTTP/1.1 200 ', 'x'],
    ['field value', 'HTTP/1.1 200 OK\r\nA: ', 'b'],
    ['fields', 'HTTP/1.1 200 OK\r\n', 'A: b\r\n'],
    ['100s', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['102s', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['long 103s', '', `HTTP/1.1 103 Early Hints\r\nLink: ${'a'.repeat(60_000)}\r\n\r\n`],
    ['bytes behind a response', ok(), 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ...endlessContent('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
  ] as const;
  for (const [what, ...bytes] of floods) {
    [start, more] = bytes;
    const client = await proxy.connect();
    await client.send(GET);
    await client.until(/HTTP\/1\.1 (?:200|502) /);
    const { bytes: count, stalled } = await taken;
    assert.ok(!stalled && count < AHEAD_BYTES, `${what}: ${count} bytes, stalled: ${stalled}`);
    assert.ok(client.text.length < 2 * 1024 * 1024, `${what}: the client got ${client.text.length} bytes`);
    client.destroy();
  }
  await isWell(proxy, origin);
});

test('requests without end of a client that never reads are taken until the network is full, and no further', async (t) => {
  const origin = await startOrigin(t, (asked, peer) => {
    if (isForWell(asked.startLine)) void peer.send(ok());
    else void peer.send(ok('x'.repeat(32 * 1024)));
  });
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  client.socket.pause();
  const { bytes, stalled } = await flood(client, '', `${HEAD}A: ${'b'.repeat(8_000)}\r\n\r\n`);
  assert.ok(stalled && bytes < NETWORK_BYTES, `${bytes} bytes taken, stalled: ${stalled}`);
  client.destroy();
  await isWell(proxy, origin);
});

test('requests without end behind one that has no answer yet are taken until the network is full, and no further', async (t) => {
  const origin = await startOrigin(t, (asked, peer) => {
    if (isForWell(asked.startLine)) void peer.send(ok());
  });
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  const { bytes, stalled } = await flood(client, GET, GET);
  assert.ok(stalled && bytes < NETWORK_BYTES, `${bytes} bytes taken, stalled: ${stalled}`);
  assert.equal(origin.requests.length, 1);
  client.destroy();
  // Nothing is read of a client that is so far ahead: that it has gone is noticed when its answers, here 504s, are written.
  for (let answers = 0; proxy.connections.size > 0; answers++) {
    assert.ok(answers < 50, 'a client that has gone is noticed');
    proxy.passTime(TIMEOUTS.responseHeadMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await isWell(proxy, origin);
});
