// An upstream that answers an upload early and closes with the rest unread: the system resets what is still sent to it, and
// the answer must reach the client nevertheless (RFC 9112 section 9.5).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startBareProxy } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { ok, type Script, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { originTls, secureTarget } from '../support/secure-origin.ts';

const BODY = Buffer.alloc(20 * 1024 * 1024);
const UPLOAD = request('/upload', [`Content-Length: ${BODY.length}`], 'POST');
const TIMES = 20;

const refuses =
  (content: string): Script =>
  async (asked, peer) => {
    if (!asked.startLine.includes('/upload')) return peer.send(ok());
    peer.socket.pause();
    await peer.send(`HTTP/1.1 413 Content Too Large\r\nContent-Length: ${content.length}\r\n\r\n${content}`);
    return peer.destroy(); // with bytes unread: RST
  };

/** Uploads without looking, and resolves with what comes back. */
async function upload(client: Peer): Promise<{ status: number; body: string }> {
  client.socket.write(UPLOAD);
  client.socket.write(BODY);
  return client.message();
}

for (const [carrier, scheme] of [
  ['plain', 'http'],
  ['tls', 'http'],
  ['plain', 'https'],
] as const) {
  for (const size of [3, 30_000]) {
    test(`an early answer of ${size} bytes, with a reset at its heels, is what the client gets (${carrier}, ${scheme}://)`, async (t) => {
      const content = 'x'.repeat(size);
      const isSecure = scheme === 'https';
      const origin = await startOrigin(t, refuses(content), isSecure ? { tls: originTls() } : {});
      const target = isSecure ? secureTarget(origin.port) : origin.port;
      const proxy = await startBareProxy(t, target, undefined, carrier);
      const before = liveHandles();
      for (let i = 0; i < TIMES; i++) {
        const client = await proxy.connect();
        if (i % 2 === 1) {
          await client.send(request('/warm'));
          await client.message();
        }
        const { status, body } = await upload(client);
        assert.equal(status, 413);
        assert.equal(body, content);
        client.destroy();
        await proxy.idle();
      }
      assert.equal(proxy.target.inflight, 0);
      assert.deepEqual(proxy.faults, []);
      await handlesBackTo(before);
    });
  }
}

test('an application that answers at once and asks to close is heard', async (t) => {
  const server = createServer((_asked, answer) => {
    answer.writeHead(401, { connection: 'close' }).end('who are you?');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const proxy = await startBareProxy(t, (server.address() as AddressInfo).port);
  for (let i = 0; i < TIMES; i++) {
    const client = await proxy.connect();
    assert.equal((await upload(client)).status, 401);
    client.destroy();
  }
});

test('a reset without an answer is 502 all the same', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => {
    peer.socket.pause();
    peer.destroy();
  });
  const proxy = await startBareProxy(t, origin.port);
  for (let i = 0; i < TIMES; i++) {
    const client = await proxy.connect();
    assert.equal((await upload(client)).status, 502);
    client.destroy();
  }
  await proxy.idle();
  assert.equal(proxy.target.inflight, 0);
});
