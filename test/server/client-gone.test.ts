import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBareProxy } from '../support/bare-proxy.ts';
import { request, startChain } from '../support/chain.ts';
import { ok, type Script, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const upload = request('/', ['Content-Length: 100'], 'POST');
const upgrade = request('/', ['Connection: Upgrade', 'Upgrade: x']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

interface Phase {
  readonly send: string;
  readonly script: Script;
  /** What the client has got, or the origin has asked, when the client leaves. */
  readonly reached: (client: Peer, origin: { readonly requests: readonly unknown[] }) => boolean;
}

const silent: Script = () => null;
const phases: Readonly<Record<string, Phase>> = {
  'before its head': { send: '', script: silent, reached: () => true },
  'in its head': { send: 'GET / HT', script: silent, reached: () => true },
  'in its content': { send: `${upload}half`, script: silent, reached: (_, { requests }) => requests.length === 1 },
  'in its chunked content': {
    send: `${request('/', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhel`,
    script: silent,
    reached: (_, { requests }) => requests.length === 1,
  },
  'while it waits': { send: request(), script: silent, reached: (_, { requests }) => requests.length === 1 },
  'while it waits with the next request pipelined': {
    send: request() + request(),
    script: silent,
    reached: (_, { requests }) => requests.length === 1,
  },
  'in the response': {
    send: request(),
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    reached: ({ text }) => text.endsWith('half'),
  },
  'in an early response': {
    send: `${upload}half`,
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    reached: ({ text }) => text.endsWith('half'),
  },
  'after the response': {
    send: request(),
    script: (_, peer) => peer.send(ok()),
    reached: ({ text }) => text.endsWith('hello'),
  },
  'before the answer to its upgrade': {
    send: upgrade,
    script: silent,
    reached: (_, { requests }) => requests.length === 1,
  },
  'in its tunnel': {
    send: upgrade,
    script: (_asked, peer) => {
      void peer.send(`${SWITCH}hi`);
      peer.socket.on('end', () => peer.finish());
    },
    reached: ({ text }) => text.endsWith('hi'),
  },
};

for (const [when, { send, script, reached }] of Object.entries(phases)) {
  for (const how of ['destroy', 'reset'] as const) {
    test(`a client that is gone ${when} leaves nothing behind (${how === 'reset' ? 'RST' : 'FIN'})`, async (t) => {
      const origin = await startOrigin(t, script);
      const proxy = await startBareProxy(t, origin.port);
      const client = await proxy.connect();
      if (send !== '') await client.send(send);
      if (!reached(client, origin)) {
        await new Promise<void>((resolve) => {
          const check = () => (reached(client, origin) ? resolve() : setTimeout(check, 2));
          check();
        });
      }
      while (proxy.connections.size === 0) await new Promise(setImmediate);
      client[how]();
      if (when === 'after the response') {
        while (proxy.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
        assert.equal(proxy.target.connections, 1, 'the upstream connection is kept');
        proxy.target.closeIdle();
      }
      await proxy.idle();
      for (const peer of origin.peers) await peer.end();
      assert.equal(proxy.connections.size, 0);
      assert.equal(proxy.target.connections, 0);
      assert.equal(proxy.target.inflight, 0);
      assert.deepEqual(proxy.faults, []);
    });
  }
}

test('a crowd of clients that come and go in every phase leaves nothing behind', async (t) => {
  const all = Object.values(phases);
  const origin = await startOrigin(t, (asked, peer, connection) =>
    all[connection % all.length]!.script(asked, peer, 0),
  );
  const proxy = await startBareProxy(t, origin.port);
  for (let round = 0; round < 15; round++) {
    const clients = await Promise.all(all.map(() => proxy.connect()));
    await Promise.all(
      clients.map((client, i) => (all[i]!.send === '' ? null : client.send(all[i]!.send).catch(() => {}))),
    );
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
  test(`over TLS too, the upstream's work ends when the client is gone (${how === 'reset' ? 'RST' : 'FIN'})`, async (t) => {
    const { connect, origin, server, logged } = await startChain(t, {
      script: (asked, peer) => (asked.startLine.includes('/slow') ? null : peer.send('HTTP/1.1 200 OK\r\n\r\nhalf')),
    });
    for (const text of [request('/slow'), request('/'), `${upload}half`]) {
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
