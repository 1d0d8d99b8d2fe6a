import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const TOTAL = 32 * 1024 * 1024;
/** What the network itself may hold between two sockets that are not read: buffers of four kernel sockets and some. */
const NETWORK_BYTES = 24 * 1024 * 1024;

/** Writes up to TOTAL bytes as fast as they are taken; `sent` grows meanwhile. */
function pour(peer: Peer): { sent: number; done: Promise<void> } {
  const state = { sent: 0, done: Promise.resolve() };
  state.done = (async () => {
    while (state.sent < TOTAL) {
      const isTaken = peer.socket.write(CHUNK);
      state.sent += CHUNK.length;
      if (!isTaken) await once(peer.socket, 'drain');
    }
  })();
  return state;
}

/** Resolves once `value` has stopped growing for a while. */
async function settled(value: () => number): Promise<number> {
  for (let last = -1, same = 0; ; ) {
    const now = value();
    same = now === last ? same + 1 : 0;
    if (same === 10) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('an answer that comes before the upload is complete reaches the client at once', async (t) => {
  for (const behaviour of ['keeps', 'closes'] as const) {
    const { connect, origin } = await startChain(t, {
      script: async (_asked, peer) => {
        await peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
        if (behaviour === 'closes') peer.finish();
      },
    });
    const client = await connect();
    await client.send(request('/', ['Content-Length: 1000000'], 'POST'), 'x'.repeat(1000));
    const response = await client.message();
    assert.equal(response.status, 413);
    assert.equal(response.body, 'big');
    assert.deepEqual(response.fields('connection'), ['close']);
    await client.end();
    await origin.peers[0]!.end();
  }
});

test('a short rest of an upload that was answered early is dropped, and both sides go on', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: (asked, peer) => void peer.send(asked.startLine.startsWith('POST') ? ok('early') : ok('next')),
  });
  const client = await connect();
  await client.send(request('/', ['Content-Length: 100000'], 'POST'), 'x'.repeat(1000));
  const response = await client.message();
  assert.equal(response.body, 'early');
  assert.deepEqual(response.fields('connection'), []);
  await client.send('x'.repeat(99_000), request('/next'));
  assert.equal((await client.message()).body, 'next');
  assert.equal(origin.peers.length, 2, 'the half-used upstream connection is not used again');
});

test('request and response stream at the same time when the upstream answers early and reads on', async (t) => {
  const { connect } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (const word of ['one', 'two', 'three']) {
        await peer.until(`${word}\r\n`);
        await peer.send(`${(word.length + 4).toString(16)}\r\ngot ${word}\r\n`);
      }
      await peer.until('0\r\n\r\n');
      await peer.send('0\r\n\r\n');
    },
  });
  const client = await connect();
  await client.send(request('/', ['Transfer-Encoding: chunked'], 'POST'));
  for (const word of ['one', 'two', 'three']) {
    await client.send(`${word.length}\r\n${word}\r\n`);
    await client.until(`got ${word}`);
  }
  await client.send('0\r\n\r\n');
  assert.equal((await client.message()).body, 'got onegot twogot three');
});

test('every piece of a slow response is passed on as it comes', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: (_asked, peer) => void peer.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'),
  });
  const client = await connect();
  await client.send(request('/', ['Accept: text/event-stream']));
  await client.until('\r\n\r\n');
  const peer = await origin.connection(0);
  for (let i = 0; i < 10; i++) {
    await peer.send(`data: ${i}\n\n`);
    await client.until(`data: ${i}\n\n`);
  }
  client.destroy();
  await peer.end();
});

test('a client that stops reading stops the upstream, and gets every byte once it reads on', async (t) => {
  let poured = { sent: 0, done: Promise.resolve() };
  const { connect } = await startChain(t, {
    script: (_asked, peer) => {
      void peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`);
      poured = pour(peer);
    },
  });
  const client = await connect();
  await client.send(request());
  await client.until('\r\n\r\n');
  client.socket.pause();
  const held = await settled(() => poured.sent);
  assert.ok(held < NETWORK_BYTES, `the upstream could send ${held} bytes to a client that does not read`);
  let received = client.text.length;
  client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
    received += chunk.length;
    client.socket.emit('counted');
  });
  client.socket.resume();
  const head = client.text.indexOf('\r\n\r\n') + 4;
  while (received < head + TOTAL) await once(client.socket, 'counted');
  await poured.done;
});

test('an upstream that stops reading stops the client, and gets every byte once it reads on', async (t) => {
  const { connect, origin } = await startChain(t, { script: (_asked, peer) => void peer.socket.pause() });
  const client = await connect();
  await client.send(request('/', [`Content-Length: ${TOTAL}`], 'POST'));
  const peer = await origin.connection(0);
  await origin.request(0);
  const poured = pour(client);
  const held = await settled(() => poured.sent);
  assert.ok(held < NETWORK_BYTES, `the client could send ${held} bytes to an upstream that does not read`);
  let received = peer.text.length - (peer.text.indexOf('\r\n\r\n') + 4);
  peer.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received === TOTAL) void peer.send(ok('all of it'));
  });
  peer.socket.resume();
  assert.equal((await client.message()).body, 'all of it');
  await poured.done;
});
