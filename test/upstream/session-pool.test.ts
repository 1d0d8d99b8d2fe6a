// Requests to h2c:// targets share connections: as few as the target's limits allow, none of them lost when it refuses or goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBareProxy } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import {
  ENABLE_CONNECT_PROTOCOL,
  goAway,
  MAX_CONCURRENT_STREAMS,
  rstStream,
  settings,
  settingsAck,
} from '../support/h2-frames.ts';
import { answerHello, type H2Script } from '../support/h2-origin.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { startH2cProxy } from '../support/h2c-proxy.ts';
import { startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const IDLE_MS = 700_000;

const OK = (count: number): number[] => Array.from({ length: count }, () => 200);

/** Keeps what it is asked until `release`. */
function holding(): { script: H2Script; held: () => number; release: () => void; hold: () => void } {
  let waiting: (() => void)[] = [];
  let isOpen = false;
  return {
    script: (asked, peer, connection) => {
      if (isOpen) answerHello(asked, peer, connection);
      else waiting.push(() => answerHello(asked, peer, connection));
    },
    held: () => waiting.length,
    hold: () => {
      isOpen = false;
    },
    release: () => {
      isOpen = true;
      for (const answer of waiting) answer();
      waiting = [];
    },
  };
}

test('many requests share one connection', async (t) => {
  const { ask, statuses, origin, target } = await startH2cProxy(t);
  assert.deepEqual(await statuses(await ask(20)), OK(20));
  assert.deepEqual(await statuses(await ask(20)), OK(20));
  assert.equal(origin.peers.length, 1);
  assert.deepEqual([target.connections, target.inflight], [1, 0]);
});

test('another connection is opened only when all are full, and the fullest is filled first', async (t) => {
  const { script, held, release, hold } = holding();
  const { ask, statuses, origin, target } = await startH2cProxy(t, script, { settings: [[MAX_CONCURRENT_STREAMS, 3]] });
  const first = await ask(1);
  await (await origin.connection(0)).roundTrip(); // so that the limit is known
  const others = await ask(6);
  await origin.request(6);
  assert.equal(held(), 7);
  assert.equal(origin.peers.length, 3);
  const open = origin.peers.map(({ frames }) => new Set(frames.map(({ stream }) => stream)).size - 1);
  assert.deepEqual(open, [3, 3, 1]);
  release();
  assert.deepEqual(await statuses([...first, ...others]), OK(7));
  assert.equal(target.inflight, 0);
  hold();
  const later: Peer[] = [];
  for (let i = 8; i <= 10; i++) {
    later.push(...(await ask(1)));
    await origin.request(i - 1);
  }
  const busy = origin.peers.filter((peer) =>
    origin.requests.slice(7).some((each) => peer.stream(each.stream) === each),
  );
  assert.equal(busy.length, 1, 'all on one');
  release();
  assert.deepEqual(await statuses(later), OK(3));
});

test('requests that come before a low limit is known are all answered, and it is remembered', async (t) => {
  const limit = 4;
  const taken = new Map<H2Peer, number>();
  const script: H2Script = (_asked, peer, connection) => {
    const before = taken.get(peer) ?? 0;
    taken.set(peer, before + 1);
    const isWaiting = connection === 0 && before + 1 < 24;
    if (isWaiting || (connection > 0 && before > 0)) return; // judged together below
    void peer.send(settings([MAX_CONCURRENT_STREAMS, limit]), settingsAck());
    setImmediate(() => {
      for (const [i, { stream }] of origin.requests.filter((each) => peer.stream(each.stream) === each).entries())
        if (i < limit) answerHello(peer.stream(stream), peer, connection);
        else void peer.send(rstStream(stream, 'REFUSED_STREAM'));
    });
  };
  const rig = await startH2cProxy(t, script, { settings: null, habits: { acknowledge: false } });
  const { origin } = rig;
  assert.deepEqual(await rig.statuses(await rig.ask(24)), OK(24));
  assert.equal(origin.peers.length, 6);
});

test('what the target says it has not looked at is repeated, whatever its method', async (t) => {
  const { connect, origin } = await startH2cProxy(t, (asked, peer, connection) => {
    if (connection === 0) void peer.send(rstStream(asked.stream, 'REFUSED_STREAM'));
    else answerHello(asked, peer, connection);
  });
  const client = await connect();
  await client.send(post('/', ''));
  assert.equal((await client.message()).status, 200);
  assert.deepEqual(
    origin.requests.map((asked) => asked.value(':method')),
    ['POST', 'POST'],
  );
  assert.equal(origin.peers.length, 2);
});

test('a target that refuses everything is asked three times', async (t) => {
  const { connect, origin, target } = await startH2cProxy(t, (asked, peer) =>
    peer.send(rstStream(asked.stream, 'REFUSED_STREAM')),
  );
  const client = await connect();
  await client.send(request('/'));
  assert.equal((await client.message()).status, 502);
  assert.equal(origin.requests.length, 3);
  assert.equal(target.inflight, 0);
});

test('content that has been taken is not sent twice', async (t) => {
  const { connect, origin } = await startH2cProxy(t, async (asked, peer) => {
    await peer.message(asked.stream);
    await peer.send(rstStream(asked.stream, 'REFUSED_STREAM'));
  });
  const client = await connect();
  await client.send(post('/', 'content'));
  assert.equal((await client.message()).status, 502);
  assert.equal(origin.requests.length, 1);
});

test('after GOAWAY a connection takes nothing new and finishes what it has; the rest is repeated elsewhere', async (t) => {
  const { script, held, release } = holding();
  const { ask, statuses, origin, target } = await startH2cProxy(t, script);
  const clients = await ask(4);
  await origin.request(3);
  assert.equal(held(), 4);
  const peer = origin.peers[0]!;
  const last = Math.max(...origin.requests.map(({ stream }) => stream));
  await peer.send(goAway(last - 4)); // two of them were never looked at
  await origin.request(5);
  assert.equal(origin.peers.length, 2);
  const late = await ask(2);
  await origin.request(7);
  assert.equal(origin.peers.length, 2);
  release();
  assert.deepEqual(await statuses([...clients, ...late]), OK(6));
  await peer.end();
  while (target.connections > 1) await new Promise(setImmediate);
  assert.equal(target.inflight, 0);
});

test('an idle connection is closed after its time, with GOAWAY', async (t) => {
  const { ask, statuses, origin, target, passTime } = await startH2cProxy(t);
  assert.deepEqual(await statuses(await ask(3)), OK(3));
  passTime(IDLE_MS);
  assert.equal((await origin.peers[0]!.gone()).code, 'NO_ERROR');
  await origin.peers[0]!.end();
  origin.peers[0]!.finish();
  while (target.connections > 0) await new Promise(setImmediate);
});

test('a target that is closing finishes its streams', async (t) => {
  const { script, release } = holding();
  const { ask, statuses, origin, target } = await startH2cProxy(t, script);
  const clients = await ask(2);
  await origin.request(1);
  target.closeIdle();
  await origin.peers[0]!.gone();
  release();
  assert.deepEqual(await statuses(clients), OK(2));
  await origin.peers[0]!.end();
});

test('a connection that breaks costs idempotent requests nothing', async (t) => {
  const { connect, origin } = await startH2cProxy(t, (asked, peer, connection) => {
    if (origin.requests.length === 2) peer.destroy();
    else answerHello(asked, peer, connection);
  });
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    await client.send(request('/'));
    assert.equal((await client.message()).status, 200);
  }
  assert.equal(origin.requests.length, 3);
});

test('an upgrade is asked for on a stream, where the target takes it', async (t) => {
  const { connect, origin } = await startH2cProxy(
    t,
    (asked, peer) => {
      void peer.headers(asked.stream, [[':status', '200']]);
      void peer.data(asked.stream, 'welcome');
    },
    { settings: [[ENABLE_CONNECT_PROTOCOL, 1]] },
  );
  const client = await connect();
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  await client.send(request('/', ['Connection: upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', key]));
  await client.until('welcome');
  assert.match(client.text, /^HTTP\/1\.1 101 /);
  assert.equal(origin.requests[0]!.value(':protocol'), 'websocket');
  await client.send('hello');
  await origin.peers[0]!.when(() => origin.requests[0]!.received === 5);
});

test('a target that takes no upgrades on streams is told apart', async (t) => {
  const { connect, logged } = await startH2cProxy(t);
  const client = await connect();
  await client.send(request('/', ['Connection: upgrade', 'Upgrade: websocket']));
  assert.equal((await client.message()).status, 502);
  assert.match(logged.join(), /takes no upgrades over HTTP\/2/);
});

test('a target that does not speak HTTP/2 is told apart', async (t) => {
  const origin = await startOrigin(t);
  const { connect, logged } = await startBareProxy(t, {
    kind: 'tcp',
    host: '127.0.0.1',
    port: origin.port,
    protocol: 'h2c',
  });
  const client = await connect();
  await client.send(request('/'));
  await (await origin.connection(0)).send('HTTP/1.1 400 Bad Request\r\n\r\n');
  assert.equal((await client.message()).status, 502);
  assert.match(logged.join(), /does not speak HTTP\/2/);
});
