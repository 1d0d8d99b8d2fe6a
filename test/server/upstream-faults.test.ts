import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { post, request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';

/**
 * The first request gets `bad` from the origin; then a request on the same or a new client connection must get its own
 * right answer. Resolves with what the client got for the first one.
 */
async function afterFault(t: TestContext, bad: (peer: Peer) => unknown, asked = request('/bad')) {
  const { connect, origin } = await startChain(t, {
    script: (received, peer) => (received.startLine.includes('/bad') ? bad(peer) : peer.send(ok('right'))),
  });
  let client = await connect();
  await client.send(asked);
  let answer = await client.message().catch(() => null);
  while (answer !== null && answer.status < 200) answer = await client.message();
  const { text } = client;
  if (answer === null || answer.fields('connection').includes('close')) {
    await client.end();
    client = await connect();
  }
  await client.send(request('/next'), post('/next', 'x'));
  assert.equal((await client.message()).body, 'right');
  assert.equal((await client.message()).body, 'right');
  await origin.peers[0]!.end();
  assert.equal(origin.requests.filter(({ startLine }) => startLine.includes('/bad')).length, 1);
  assert.ok(origin.peers.length >= 2, 'the connection is not used again');
  return { answer, text };
}

const before: Readonly<Record<string, (peer: Peer) => unknown>> = {
  'closes without an answer': (peer) => peer.finish(),
  'resets without an answer': (peer) => peer.reset(),
  'closes in its head': (peer) => peer.send(`${HEAD}Content-`).then(() => peer.finish()),
  'closes after an interim head': (peer) => peer.send('HTTP/1.1 100 Continue\r\n\r\n').then(() => peer.finish()),
  'sends two lengths': (peer) => peer.send(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`),
  'sends the same length twice': (peer) => peer.send(`${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`),
  'sends a length that is no number': (peer) => peer.send(`${HEAD}Content-Length: 0x2\r\n\r\nab`),
  'sends length and chunked': (peer) =>
    peer.send(`${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  'sends an unknown coding': (peer) => peer.send(`${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  'sends chunked in HTTP/1.0': (peer) => peer.send('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  'sends garbage': (peer) => peer.send('\x15\x03\x01\x00\x02\x02\x0a garbage garbage'),
  'sends HTML without a head': (peer) => peer.send('<html><body>hello there</body></html>'),
  'sends NUL in a field': (peer) => peer.send(`${HEAD}A: b\x00\r\nContent-Length: 0\r\n\r\n`),
  'sends bare line feeds': (peer) => peer.send('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  'folds a field': (peer) => peer.send(`${HEAD}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`),
  'sends an endless head': (peer) => peer.send(HEAD, `A: ${'x'.repeat(10 * 1024 * 1024)}`).catch(() => {}),
  'sends too many fields': (peer) => peer.send(`${HEAD}${'a: b\r\n'.repeat(5_000)}\r\n`),
  'floods interim responses': (peer) => peer.send('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10_000)).catch(() => {}),
  'speaks HTTP/2': (peer) => peer.send('\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80'),
  'switches protocols unasked': (peer) => peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
};

for (const [what, bad] of Object.entries(before)) {
  test(`an upstream that ${what} is 502, and the next request gets its own answer`, async (t) => {
    assert.equal((await afterFault(t, bad)).answer?.status, 502);
  });
}

const during: Readonly<Record<string, (peer: Peer) => unknown>> = {
  'closes in its content': (peer) => peer.send(`${HEAD}Content-Length: 10\r\n\r\nshort`).then(() => peer.finish()),
  'resets in its content': (peer) => peer.send(`${HEAD}Content-Length: 10\r\n\r\nshort`).then(() => peer.reset()),
  'closes in a chunk': (peer) =>
    peer.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '5\r\nshort\r\n').then(() => peer.finish()),
  'sends a malformed chunk': (peer) => peer.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nxyz\r\n`),
  'sends a chunk with a bare line feed': (peer) =>
    peer.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n2\nab\r\n0\r\n\r\n`),
};

for (const [what, bad] of Object.entries(during)) {
  test(`when an upstream ${what}, the client can tell that the response is not complete`, async (t) => {
    const { answer, text } = await afterFault(t, bad);
    assert.equal(answer, null);
    assert.doesNotMatch(text, /0\r\n\r\n$/);
    assert.match(text, /^$|^HTTP\/1\.1 200 OK/);
  });
}

test('content until close that is cut off by a reset is not taken for complete', async (t) => {
  const { answer, text } = await afterFault(t, (peer) => peer.send(`${HEAD}\r\nshort`).then(() => peer.reset()));
  assert.equal(answer, null);
  assert.doesNotMatch(text, /0\r\n\r\n$/);
});

test('bytes behind a complete response are dropped with the connection they came on', async (t) => {
  const stray = ok('poison');
  const { answer, text } = await afterFault(t, (peer) => peer.send(ok('fine') + stray));
  assert.equal(answer?.body, 'fine');
  assert.doesNotMatch(text, /poison/);
});

test('an upstream that half-closes behind a complete response is not used again', async (t) => {
  const { answer } = await afterFault(t, (peer) => peer.send(ok('fine')).then(() => peer.finish()));
  assert.equal(answer?.body, 'fine');
});

test('a request with content that the upstream breaks off is 502', async (t) => {
  const asked = request('/bad', ['Content-Length: 1000000'], 'POST');
  const { answer } = await afterFault(t, (peer) => peer.reset(), asked);
  assert.equal(answer?.status, 502);
});

test('an upstream that says nothing is 504', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: (asked, peer) => (asked.startLine.includes('/silent') ? null : peer.send(ok('right'))),
    timeouts: { responseHead: '100ms' },
  });
  const client = await connect();
  await client.send(request('/silent') + request('/next'));
  const answer = await client.message();
  assert.equal(answer.status, 504);
  assert.match(answer.body, /did not answer in time/);
  assert.equal((await client.message()).body, 'right');
  await origin.peers[0]!.end();
});

test('an upstream that dribbles its head does not gain time by it', async (t) => {
  const { connect } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.send(HEAD);
      while (peer.ended === 'no') {
        await peer.send('A: b\r\n');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    timeouts: { responseHead: '200ms' },
  });
  const client = await connect();
  await client.send(request());
  assert.equal((await client.message()).status, 504);
});

test('an upstream that stalls in its content ends the response so that the client can tell', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: (_asked, peer) => peer.send(`${HEAD}Content-Length: 10\r\n\r\nshort`),
    timeouts: { bodyIdle: '100ms' },
  });
  const client = await connect();
  await client.send(request());
  assert.match(await client.end(), /short$/);
  await origin.peers[0]!.end();
});
