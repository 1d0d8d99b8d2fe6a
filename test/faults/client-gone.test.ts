// A client that leaves, in every phase, by FIN and by RST, in the clear and under TLS: the upstream's work ends, nothing is
// left behind, and the next client is served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Carrier, startBareProxy } from '../support/bare-proxy.ts';
import { request, startChain } from '../support/chain.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { CLIENT_PHASES } from './client-phases.ts';

const WAYS: readonly (readonly [name: string, carrier: Carrier, leave: (client: Peer) => void])[] = [
  ['FIN', 'plain', (client) => client.destroy()],
  ['RST', 'plain', (client) => client.reset()],
  ['FIN without close_notify', 'tls', (client) => client.socket.destroy()],
  [
    'close_notify and FIN',
    'tls',
    (client) => {
      client.finish();
      client.socket.once('finish', () => client.destroy());
    },
  ],
  ['RST', 'tls', (client) => client.reset()],
];

for (const { when, sends, script, got, asked, isKept } of CLIENT_PHASES) {
  for (const [name, carrier, leave] of WAYS) {
    test(`a client that is gone ${when} leaves nothing behind (${carrier}, ${name})`, async (t) => {
      const origin = await startOrigin(t, (received, peer, connection) =>
        received.startLine.includes('/next') ? peer.send(ok(received.startLine)) : script(received, peer, connection),
      );
      const proxy = await startBareProxy(t, origin.port, undefined, carrier);
      const before = liveHandles();
      const client = await proxy.connect();
      await client.send(sends);
      if (asked === null) while (proxy.connections.size === 0) await new Promise(setImmediate);
      else await (await origin.connection(0)).until(asked);
      await client.until(got);
      leave(client);

      if (isKept) while (proxy.connections.size > 0) await new Promise(setImmediate);
      else await proxy.idle();
      assert.equal(proxy.target.inflight, 0);
      assert.equal(proxy.target.connections, isKept ? 1 : 0);
      assert.equal(origin.requests.length, asked === null ? 0 : 1);
      if (asked !== null) assert.match(origin.peers[0]!.text, asked, 'nothing was added to what the client sent');
      if (asked !== null && !isKept) await origin.peers[0]!.end();

      const next = await proxy.connect();
      await next.send(request('/next'));
      assert.equal((await next.message()).body, 'GET /next HTTP/1.1');
      assert.equal(next.rest, '');
      assert.equal(origin.peers.length, asked === null || isKept ? 1 : 2);
      next.destroy();
      proxy.target.closeIdle();
      await proxy.idle();
      assert.equal(proxy.target.inflight, 0);
      assert.deepEqual(proxy.faults, []);
      for (const peer of origin.peers) peer.destroy();
      await handlesBackTo(before);
    });
  }
}

test('a crowd of clients that come and go in every phase leaves nothing behind', async (t) => {
  const origin = await startOrigin(t, (asked, peer, connection) =>
    CLIENT_PHASES[connection % CLIENT_PHASES.length]!.script(asked, peer, 0),
  );
  const proxy = await startBareProxy(t, origin.port);
  for (let round = 0; round < 15; round++) {
    const clients = await Promise.all(CLIENT_PHASES.map(() => proxy.connect()));
    await Promise.all(clients.map((client, i) => client.send(CLIENT_PHASES[i]!.sends).catch(() => {})));
    for (const [i, client] of clients.entries()) client[(i + round) % 2 === 0 ? 'destroy' : 'reset']();
  }
  while (proxy.connections.size > 0) {
    proxy.passTime(2_500);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  proxy.target.closeIdle();
  await proxy.idle();
  assert.equal(proxy.target.connections, 0);
  assert.equal(proxy.target.inflight, 0);
  assert.deepEqual(proxy.faults, []);
});

for (const how of ['destroy', 'reset'] as const) {
  test(`a whole server, too, ends its upstream's work for a client that is gone, and can close (${how})`, async (t) => {
    const { connect, origin, server, logged } = await startChain(t, {
      script: (asked, peer) => (asked.startLine.includes('/slow') ? null : peer.send('HTTP/1.1 200 OK\r\n\r\nhalf')),
    });
    for (const text of [request('/slow'), request('/'), `${request('/', ['Content-Length: 100'], 'POST')}half`]) {
      const before = origin.requests.length;
      const client = await connect();
      await client.send(text);
      await origin.request(before);
      client[how]();
      await origin.peers.at(-1)!.end();
    }
    await server.close();
    assert.doesNotMatch(logged.join(''), /drain timeout|inside Perantara/);
  });
}
