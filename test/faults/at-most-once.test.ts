// Nothing that may have been acted on is sent a second time (RFC 9110 section 9.2.2): only what a reused connection closed on
// without a byte of an answer, and only where repeating it does no harm. More of these are in test/server/targets.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIdempotent } from '../../src/http/message.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { refusedPort } from '../support/refused-port.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH'] as const;
const CONTENTS = {
  'no content': (method: string, target: string) => request(target, [], method),
  content: (method: string, target: string) => `${request(target, ['Content-Length: 3'], method)}pay`,
  'chunked content': (method: string, target: string) =>
    `${request(target, ['Transfer-Encoding: chunked'], method)}3\r\npay\r\n0\r\n\r\n`,
} as const;

/** What of the request the origin has read when it leaves. */
const READ: Readonly<Record<string, (peer: Peer) => unknown>> = {
  nothing: () => null,
  'its head': (peer) => peer.until('\r\n\r\n'),
  'all of it': (peer) => peer.message(),
};

for (const how of ['finish', 'reset'] as const) {
  for (const [read, reads] of Object.entries(READ)) {
    test(`what a new connection took is never sent again, though there is another target (${read} read, ${how})`, async (t) => {
      const dying = await startOrigin(t, () => null);
      const healthy = await startOrigin(t);
      let asked = 0;
      let passedOn = 0;
      for (const method of METHODS) {
        for (const [content, write] of Object.entries(CONTENTS)) {
          const proxy = await startBareProxy(t, [dying.port, healthy.port]);
          const client = await proxy.connect();
          const leaves = dying.connection(asked++).then(async (peer) => {
            await reads(peer);
            peer[how]();
          });
          await client.send(write(method, '/once'));
          await leaves;
          const { status } = await client.message(method === 'HEAD');
          // A reset may be ahead of the news that the connection is up: then nothing has been written to it.
          const wasUp = how === 'finish' || read !== 'nothing' || status !== 200;
          if (!wasUp) passedOn++;
          assert.equal(status, wasUp ? 502 : 200, `${method} with ${content}`);
          assert.equal(proxy.target.inflight, 0);
        }
      }
      assert.equal(dying.peers.length, asked);
      assert.equal(healthy.requests.length, passedOn);
      if (passedOn > 0) assert.equal(dying.requests.length, 0, 'and it has read nothing');
    });
  }

  test(`what a kept connection closed on unanswered is repeated by its method and content, on the same target (${how})`, async (t) => {
    for (const method of METHODS) {
      for (const [content, write] of Object.entries(CONTENTS)) {
        const other = await startOrigin(t);
        const origin = await startOrigin(t, async (asked, peer, connection) => {
          if (asked.startLine.includes('/once') && connection === 0) peer[how]();
          else await peer.send(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' : ok());
        });
        const proxy = await startBareProxy(t, [origin.port, other.port]);
        const client = await proxy.connect();
        for (let i = 0; i < 2; i++) {
          await client.send(write(method, '/warm'));
          await client.message(method === 'HEAD');
        }
        await client.send(write(method, '/once'));
        const isRepeated = isIdempotent(method) && content === 'no content';
        const { status } = await client.message(method === 'HEAD');
        assert.equal(status, isRepeated ? 200 : 502, `${method} with ${content}`);
        const seen = origin.requests.filter(({ startLine }) => startLine.includes('/once')).length;
        assert.equal(seen, isRepeated ? 2 : 1, `${method} with ${content}`);
        assert.equal(other.requests.length, 1, 'the other target has seen but the warm-up');
      }
    }
  });

  test(`an upgrade that a kept connection closed on unanswered is asked for again on a new one (${how})`, async (t) => {
    const origin = await startOrigin(t, (asked, peer, connection) => {
      if (!asked.startLine.includes('/socket')) return peer.send(ok());
      if (connection === 0) return peer[how]();
      return peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhi');
    });
    const proxy = await startBareProxy(t, origin.port);
    const client = await proxy.connect();
    await client.send(request());
    await client.message();
    await client.send(request('/socket', ['Connection: Upgrade', 'Upgrade: x']));
    await client.until(/101 [\s\S]*\r\n\r\nhi$/);
    await client.send('ho');
    await origin.peers[1]!.until(/\r\n\r\nho$/);
  });

  test(`content that a client holds back until 100 is not asked for twice (${how})`, async (t) => {
    const origin = await startOrigin(t, (asked, peer) =>
      asked.startLine.includes('/warm') ? peer.send(ok()) : peer[how](),
    );
    const proxy = await startBareProxy(t, origin.port);
    const client = await proxy.connect();
    await client.send(request('/warm'));
    await client.message();
    await client.send(request('/once', ['Content-Length: 3', 'Expect: 100-continue'], 'PUT'));
    const answer = await client.message();
    assert.equal(answer.status, 502);
    assert.deepEqual(answer.fields('connection'), ['close']);
    assert.equal(origin.requests.length, 2);
  });
}

test('an interim answer is an answer: nothing is repeated after it', async (t) => {
  const origin = await startOrigin(t, async (asked, peer) => {
    if (asked.startLine.includes('/warm')) return peer.send(ok());
    await peer.send('HTTP/1.1 103 Early Hints\r\n\r\n');
    return peer.reset();
  });
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request('/warm'));
  await client.message();
  await client.send(request('/once'));
  await client.until('HTTP/1.1 502 ');
  assert.equal(origin.requests.length, 2);
});

test('a POST whose first two targets refuse the connection arrives once and whole at the third', async (t) => {
  const origin = await startOrigin(t, async (_asked, peer) => peer.send(ok((await peer.message()).body)));
  const proxy = await startBareProxy(t, [await refusedPort(t), await refusedPort(t), origin.port]);
  const client = await proxy.connect();
  for (let i = 1; i <= 4; i++) {
    await client.send(post('/', `payment ${i}`));
    assert.equal((await client.message()).body, `payment ${i}`);
    assert.equal(origin.requests.length, i);
  }
  assert.deepEqual(
    proxy.targets.map(({ inflight }) => inflight),
    [0, 0, 0],
  );
});
