// A client that has closed its side may still read (RFC 9293 section 3.6) or be gone, and the FIN of both looks the same.
// Only bytes sent to it tell: whoever is gone answers them with RST.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { respondHandler } from '../../src/handlers/respond.ts';
import { HALF_CLOSED_MS } from '../../src/http/grace.ts';
import { startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const UPLOAD = request('/', ['Content-Length: 100'], 'POST');

/** Resolves when the proxy has read the FIN that the client just sent: it looks at connections in that state sooner. */
async function halfClosed(client: Peer, proxy: { connections: ReadonlySet<{ deadlineAt: number }> }): Promise<void> {
  client.finish();
  const [connection] = proxy.connections;
  const patience = AbortSignal.timeout(10_000);
  while (connection!.deadlineAt === Number.POSITIVE_INFINITY) {
    patience.throwIfAborted();
    await new Promise(setImmediate);
  }
}

for (const carrier of ['plain', 'tls'] as const) {
  for (const [what, text] of [
    ['GET', request()],
    ['POST', post('/', 'body')],
  ] as const) {
    test(`a client that closes its side and waits gets its answer, however late it comes (${what}, ${carrier})`, async (t) => {
      const origin = await startOrigin(t, () => null);
      const proxy = await startBareProxy(t, origin.port, undefined, carrier);
      const client = await proxy.connect();
      await client.send(text);
      await origin.request(0);
      await halfClosed(client, proxy);
      // Each wait is longer than the one before; between two of them the system has time to tell that nobody is there.
      for (let ms = HALF_CLOSED_MS; ms < TIMEOUTS.responseHeadMs - 1_000; ms *= 2) {
        proxy.passTime(ms);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await origin.peers[0]!.send(ok('at last'));
      let answer = await client.message();
      let interim = 0;
      while (answer.status < 200) {
        assert.equal(answer.head, 'HTTP/1.1 102 Processing\r\n\r\n');
        interim++;
        answer = await client.message();
      }
      assert.ok(interim >= 2 && interim <= 10, `${interim} interim responses in ten minutes`);
      assert.equal(answer.body, 'at last');
      assert.deepEqual(answer.fields('connection'), ['close']);
      await client.end();
      assert.equal(client.ended, 'fin');
      proxy.target.closeIdle();
      await proxy.idle();
    });
  }
}

test('a client of HTTP/1.0 that closes its side can be asked nothing, so it counts as gone after a while', async (t) => {
  const origin = await startOrigin(t, () => null);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(request('/', [], 'GET', 'HTTP/1.0'));
  await origin.request(0);
  await halfClosed(client, proxy);
  proxy.passTime(HALF_CLOSED_MS - 500);
  assert.equal(proxy.connections.size, 1);
  proxy.passTime(HALF_CLOSED_MS);
  assert.equal(await client.end(), '');
  await origin.peers[0]!.end();
  await proxy.idle();
});

test('a client that closes its side and reads slowly gets the whole response', async (t) => {
  const body = 'x'.repeat(16 * 1024 * 1024);
  const origin = await startOrigin(t, () => null);
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  client.socket.pause();
  await client.send(request());
  await origin.request(0);
  await halfClosed(client, proxy);
  const sent = origin.peers[0]!.send(ok(body));
  const [connection] = proxy.connections;
  while (!connection!.output.blocked) await new Promise((resolve) => setTimeout(resolve, 2));
  for (let i = 1; i <= 5; i++) proxy.passTime(i * HALF_CLOSED_MS);
  client.socket.resume();
  const text = await client.end();
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, body.length);
  assert.equal(client.ended, 'fin');
  await sent;
});

test('a client that stops its upload at an early answer and closes its side still gets that answer whole', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(ok('enough')));
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  await client.send(`${UPLOAD}half`);
  await client.until('enough');
  client.finish();
  await client.end();
  assert.equal(client.ended, 'fin', 'a reset could take the answer from a client that has not read it yet');
  await proxy.idle();
  assert.equal(proxy.target.inflight, 0);
});

const BIG = 'x'.repeat(64 * 1024);
for (const [what, handler] of [
  ['forwarded', undefined],
  ['our own', respondHandler(200, 'text/plain', BIG)],
] as const) {
  test(`a client that pipelines requests, closes its side and reads late gets every answer (${what})`, async (t) => {
    const origin = await startOrigin(t, (_asked, peer) => peer.send(ok(BIG)));
    const proxy = await startBareProxy(t, origin.port, handler);
    const client = await proxy.connect();
    client.socket.pause();
    await client.send(request().repeat(200));
    client.finish();
    const [connection] = proxy.connections;
    while (!connection!.output.blocked) await new Promise((resolve) => setTimeout(resolve, 2));
    for (let i = 1; i <= 3; i++) proxy.passTime(i * HALF_CLOSED_MS);
    client.socket.resume();
    assert.equal((await client.end()).split('HTTP/1.1 200 OK\r\n').length - 1, 200);
    assert.equal(client.text.length, client.text.lastIndexOf('\r\n\r\n') + 4 + BIG.length, 'the last one whole');
    assert.equal(client.ended, 'fin');
  });
}
