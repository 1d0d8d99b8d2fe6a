import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseTarget, showTarget } from '../../src/config/target.ts';
import { BufferPool } from '../../src/core/buffer-pool.ts';
import { DeadlineSweep, SWEEP_INTERVAL_MS } from '../../src/core/deadlines.ts';
import { EndOfTurn } from '../../src/core/end-of-turn.ts';
import type { PerantaraError } from '../../src/core/errors.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { RequestCarrier } from '../../src/http/request-carrier.ts';
import { Target } from '../../src/upstream/target.ts';
import { TlsContexts } from '../../src/upstream/tls-contexts.ts';
import { TIMEOUTS } from '../support/bare-proxy.ts';
import { ok, type Script, startOrigin } from '../support/origin.ts';

const IDLE_MS = 50_000;

async function startTarget(t: TestContext, script?: Script) {
  const origin = await startOrigin(t, script);
  const sweep = new DeadlineSweep();
  const options = {
    timeouts: TIMEOUTS,
    idleMs: IDLE_MS,
    sweep,
    turn: new EndOfTurn(),
    buffers: new BufferPool(),
    contexts: new TlsContexts(),
  };
  const target = new Target({ kind: 'tcp', host: '127.0.0.1', port: origin.port, protocol: 'http' }, options);
  t.after(() => target.destroy());
  return { origin, sweep, target };
}

/** Sends a GET and resolves when its response is complete and the connection is back with the pool. */
function get(connection: RequestCarrier, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = new HeaderList(['Host', 'a']);
    const request = { method: 'GET', target: path, headers, length: 0, upgradeTo: null, acceptsTrailers: false };
    connection.send(request, {
      onConnect() {},
      onInformation() {},
      onResponse() {},
      onUpgrade() {},
      onResponseData() {},
      onResponseIdle() {},
      onRequestDrain() {},
      onResponseEnd: () => resolve(),
      onResponseError: (error: PerantaraError) => reject(error),
    });
  });
}

test('the connection used last goes out first', async (t) => {
  const { target, origin } = await startTarget(t);
  const [one, two] = [target.claim(), target.claim()];
  await get(one, '/1');
  await get(two, '/2');
  assert.equal(target.claim(), two);
  assert.equal(target.claim(), one);
  assert.equal(target.connections, 2);
  assert.equal(origin.peers.length, 2);
});

test('what is claimed counts as in flight until it is released', async (t) => {
  const { target } = await startTarget(t);
  const connection = target.claim();
  target.claimFresh();
  assert.equal(target.inflight, 2);
  await get(connection, '/');
  target.release();
  target.release();
  assert.equal(target.inflight, 0);
});

test('a connection that has ended while idle is never given out again', async (t) => {
  const { target } = await startTarget(t);
  const connection = target.claim();
  await get(connection, '/');
  connection.destroy();
  assert.notEqual(target.claim(), connection);
});

for (const [what, act] of [
  ['closes it', (peer: { finish(): void }) => peer.finish()],
  ['sends bytes that nobody asked for', (peer: { send(text: string): void }) => peer.send(ok('stray'))],
] as const) {
  test(`an idle connection is dropped when the upstream ${what}`, async (t) => {
    const { target, origin } = await startTarget(t);
    await get(target.claim(), '/');
    const peer = origin.peers[0]!;
    act(peer as never);
    await peer.end();
    assert.equal(target.connections, 0);
  });
}

test('idle connections close after the configured time, or sooner when the upstream announces so', async (t) => {
  for (const [field, idleMs] of [
    ['A: b', IDLE_MS],
    ['Keep-Alive: timeout=6', 5_000],
    ['Keep-Alive: timeout=600', IDLE_MS],
  ] as const) {
    const { target, origin, sweep } = await startTarget(t, (_request, peer) => {
      void peer.send(`HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 0\r\n\r\n`);
    });
    await get(target.claim(), '/');
    sweep.sweep(idleMs - 1_000);
    const again = target.claim();
    await get(again, '/');
    assert.ok(again.reused, 'too early');
    sweep.sweep(idleMs + SWEEP_INTERVAL_MS);
    await origin.peers.at(-1)!.end();
  }
});

test('closeIdle ends idle connections at once and busy ones after their response', async (t) => {
  const { promise: asked, resolve: answer } = Promise.withResolvers<() => void>();
  const { target, origin } = await startTarget(t, (request, peer) => {
    if (request.startLine.includes('/slow')) answer(() => void peer.send(ok()));
    else void peer.send(ok());
  });
  const [busy, idle] = [target.claim(), target.claim()];
  await get(idle, '/');
  const slow = get(busy, '/slow');
  const respond = await asked;
  target.closeIdle();
  respond();
  await slow;
  for (const peer of origin.peers) await peer.end();
  assert.equal(target.connections, 0);
});

test('a failed connect is told with its cause', async (t) => {
  const { target, origin } = await startTarget(t);
  await origin.stop();
  await assert.rejects(get(target.claim(), '/'), {
    code: 'connect_failed',
    source: 'upstream',
    message: /ECONNREFUSED/,
  });
});

test('a connection that does not come about in time is told as such', async (t) => {
  const { target, sweep } = await startTarget(t);
  const failed = get(target.claim(), '/');
  sweep.sweep(TIMEOUTS.connectMs + SWEEP_INTERVAL_MS);
  await assert.rejects(failed, { code: 'connect_timeout' });
});

test('targets are named as they are written', () => {
  const names = ['http://[::1]:80', 'http://a:80', 'http://unix:/run/a.sock', 'h2c://a:50051', 'https://b:443'];
  for (const name of names) {
    const written = parseTarget(name);
    assert.equal(written.ok && showTarget(written.value), name);
  }
});
