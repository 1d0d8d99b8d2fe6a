// Items 36 and 37 over HTTP/2: requests, resets, answers and ends that cross each other in every order, and tunnels that are
// left, leave nothing behind and are nobody's uncaught exception.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONCURRENT_STREAMS } from '../../../src/http2/limits.ts';
import { type BareProxy, startBareProxy } from '../../support/bare-proxy.ts';
import { openH2 } from '../../support/h2-client.ts';
import {
  data,
  END_STREAM,
  goAway,
  INITIAL_WINDOW_SIZE,
  rstStream,
  settings,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { headers, requestFields } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { ok, startOrigin } from '../../support/origin.ts';
import type { Peer } from '../../support/peer.ts';
import { runs } from '../../support/property-runs.ts';
import { countUncaught } from '../../support/uncaught.ts';
import { switching } from '../cases/upgrade.ts';

const { numRuns: ROUNDS = 1, seed: SEED = Date.now() >>> 0 } = runs(12);
const REQUESTS = 60;

/** Numbers from 0 to below `end`, the same ones for the same seed. */
function randomFrom(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

/** Lets everything that is due happen, so often. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

async function atRest({ target, idle, sessions, sweep, faults }: BareProxy): Promise<void> {
  target.closeIdle();
  await idle();
  assert.equal(target.inflight, 0, 'in flight');
  assert.equal(target.connections, 0, 'connections to the upstream');
  assert.equal(sessions.size, 0, 'sessions');
  assert.equal(sweep.size, 0, 'deadlines');
  assert.deepEqual(faults, []);
}

/** What an origin may do when it is asked. */
const ANSWERS: readonly ((peer: Peer) => unknown)[] = [
  (peer) => peer.send(ok()),
  (peer) => peer.send(ok('x'.repeat(100_000))),
  (peer) => peer.send('HTTP/1.1 103 Early Hints\r\n\r\n', ok()),
  (peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal').then(() => peer.reset()),
  (peer) => peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n').then(() => peer.finish()),
  (peer) => peer.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno'),
  (peer) => peer.send('nonsense\r\n\r\n'),
  (peer) => peer.reset(),
  () => {},
];

/** One request and what follows it, each thing a few turns after the other. */
async function request(client: H2Peer, id: number, random: (end: number) => number): Promise<void> {
  const hasContent = random(2) === 0;
  client.send(headers(id, requestFields(`/${id}`, hasContent ? 'POST' : 'GET'), hasContent ? 0 : END_STREAM));
  const acts: readonly (() => unknown)[] = [
    () => client.send(rstStream(id)),
    () => client.send(windowUpdate(id, 1 + random(100_000))),
    () => client.send(settings([INITIAL_WINDOW_SIZE, random(70_000)])),
    () => client.send(rstStream(id), windowUpdate(id, 1)),
  ];
  for (let i = random(4); i > 0; i--) {
    await turns(random(6));
    const isOpen = client.rst(id) === null && client.ended === 'no';
    if (hasContent && isOpen && random(2) === 0) client.send(data(id, 'x'.repeat(random(3_000))));
  }
  await turns(random(6));
  if (random(2) === 0) acts[random(acts.length)]!();
  else if (hasContent && client.rst(id) === null) client.send(data(id, '', END_STREAM));
}

test('requests, resets, answers and ends that cross each other leave nothing behind', async (t) => {
  const uncaught = countUncaught(t);
  t.diagnostic(`PROPERTY_SEED=${SEED}`);
  const random = randomFrom(SEED);
  const origin = await startOrigin(t, async (_asked, peer) => {
    await turns(random(8));
    await ANSWERS[random(ANSWERS.length)]!(peer);
  });
  for (let round = 0; round < ROUNDS; round++) {
    const proxy = await startBareProxy(t, origin.port, undefined, round % 2 === 0 ? 'h2c' : 'tls');
    const client = await openH2(t, proxy.port, { carrier: round % 2 === 0 ? 'plain' : 'tls' });
    const asked = Array.from({ length: REQUESTS }, (_, i) => turns(random(20)).then(() => 2 * i + 1));
    const ids = (await Promise.all(asked)).sort((a, b) => a - b);
    await Promise.all(ids.map((id) => request(client, id, random)));
    if (random(3) === 0) client.send(goAway(0));
    await turns(random(10));
    assert.equal(client.goaway?.code ?? 'NO_ERROR', 'NO_ERROR', client.story);
    if (random(2) === 0) client.finish();
    else client.destroy();
    await atRest(proxy);
  }
  assert.deepEqual(uncaught, []);
});

test('tunnels count as streams, and a client that leaves takes all of them with it', async (t) => {
  const uncaught = countUncaught(t);
  const origin = await startOrigin(t, (_asked, peer) => peer.send(switching('websocket')));
  for (const leave of ['finish', 'destroy'] as const) {
    const proxy = await startBareProxy(t, origin.port, undefined, 'h2c');
    const client = await openH2(t, proxy.port, { carrier: 'plain' });
    const before = origin.peers.length;
    const tunnels = CONCURRENT_STREAMS + 20;
    for (let i = 0; i < tunnels; i++)
      client.send(headers(2 * i + 1, [...requestFields('/', 'CONNECT'), [':protocol', 'websocket']]));
    for (let i = 0; i < tunnels; i++) {
      if (i < CONCURRENT_STREAMS) assert.equal((await client.head(2 * i + 1)).status, 200);
      else assert.equal(await client.resetOf(2 * i + 1), 'REFUSED_STREAM');
    }
    assert.equal(origin.peers.length - before, CONCURRENT_STREAMS);
    client.send(data(1, 'hello'));
    await origin.peers[before]!.until('hello');
    client[leave]();
    await Promise.all(origin.peers.slice(before).map((peer) => peer.end()));
    for (const peer of origin.peers.slice(before)) peer.finish();
    await atRest(proxy);
  }
  assert.deepEqual(uncaught, []);
});
