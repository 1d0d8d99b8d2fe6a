import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const expecting = (length: number, target = '/'): string =>
  request(target, [`Content-Length: ${length}`, 'Expect: 100-continue'], 'POST');

test("a client that waits for 100 gets the upstream's, then sends its content, then gets the answer", async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.send(CONTINUE);
      await peer.message();
      await peer.send(ok('thanks'));
    },
  });
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    await client.send(expecting(7));
    assert.equal((await client.message()).startLine, 'HTTP/1.1 100 Continue');
    await client.send('content');
    const response = await client.message();
    assert.equal(response.body, 'thanks');
    assert.deepEqual(response.fields('connection'), []);
  }
  assert.deepEqual(origin.requests[0]!.fields('expect'), ['100-continue']);
  assert.equal(origin.peers.length, 1);
});

test('a client that does not wait for 100 is served all the same', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.until('content');
      await peer.send(CONTINUE, ok());
    },
  });
  const client = await connect();
  await client.send(`${expecting(7)}content`);
  assert.equal((await client.message()).status, 100);
  assert.equal((await client.message()).body, 'hello');
  await client.send(request());
  await origin.request(1);
});

test('an upstream that never sends 100 still gets the content of a client that stops waiting', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.until('content');
      await peer.send(ok());
    },
  });
  const client = await connect();
  await client.send(expecting(7));
  await origin.request(0);
  await client.send('content');
  assert.equal((await client.message()).body, 'hello');
});

test('a client of HTTP/1.0 gets no interim response, and its Expect is not passed on', async (t) => {
  const { exchange, origin } = await startChain(t, {
    script: (_asked, peer) => void peer.send(CONTINUE, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', ok('final')),
  });
  const client = await exchange(request('/', ['Content-Length: 1', 'Expect: 100-continue'], 'POST', 'HTTP/1.0'), 'x');
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(client.text, /\r\n\r\nfinal$/);
  assert.deepEqual(origin.requests[0]!.fields('expect'), []);
});

test('103 is passed on with its fields as soon as it comes, other interim responses are not', async (t) => {
  const { promise: hinted, resolve: finish } = Promise.withResolvers<void>();
  const { connect } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.send(
        'HTTP/1.1 102 Processing\r\n\r\n',
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\n',
      );
      await hinted;
      await peer.send(ok());
    },
  });
  const client = await connect();
  await client.send(request());
  const hint = await client.message();
  assert.equal(hint.status, 103);
  assert.deepEqual(hint.fields('link'), ['</a>']);
  assert.deepEqual(hint.fields('x'), []);
  finish();
  assert.equal((await client.message()).status, 200);
});
