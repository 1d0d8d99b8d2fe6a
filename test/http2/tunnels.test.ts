// Extended CONNECT (RFC 8441) into an upgrade of HTTP/1.1.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type BareProxy, startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { NETWORK_BYTES, OFFERED_BYTES } from '../support/flood.ts';
import { openH2 } from '../support/h2-client.ts';
import { ENABLE_CONNECT_PROTOCOL, END_STREAM, rstStream, SETTINGS } from '../support/h2-frames.ts';
import { type FieldPair, requestFields } from '../support/h2-headers.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { H2Upload } from '../support/h2-upload.ts';
import { type Origin, ok, type Script, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n';

interface Rig {
  readonly origin: Origin;
  readonly proxy: BareProxy;
  readonly peer: H2Peer;
}

async function start(t: TestContext, script: Script = (_asked, peer) => peer.send(`${SWITCH}\r\n`)): Promise<Rig> {
  const origin = await startOrigin(t, script);
  const proxy = await startBareProxy(t, origin.port, undefined, 'h2c');
  return { origin, proxy, peer: await openH2(t, proxy.port, { carrier: 'plain' }) };
}

const connect = (...more: readonly FieldPair[]): FieldPair[] => [
  ...requestFields('/chat', 'CONNECT', [[':protocol', 'websocket']]),
  ...more,
];

/** A tunnel that stands, on stream 1; what the origin got is behind its head. */
async function open(t: TestContext): Promise<Rig & { upstream: Peer }> {
  const rig = await start(t);
  rig.peer.headers(1, connect());
  assert.equal((await rig.peer.head(1)).status, 200);
  return { ...rig, upstream: rig.origin.peers[0]! };
}

/** Nothing of the tunnel stays. */
async function isClean({ proxy, peer }: Rig): Promise<void> {
  peer.destroy();
  for (let looks = 0; proxy.sweep.size > 0; looks++) {
    assert.ok(looks < 1_000, `${proxy.sweep.size} deadlines, ${proxy.target.connections} connections are left`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual([proxy.target.inflight, proxy.target.connections, proxy.faults], [0, 0, []]);
}

test('the server says that it takes extended CONNECT', async (t) => {
  const { peer } = await start(t);
  const said = peer.frames.find(({ type, flags }) => type === SETTINGS && flags === 0)!;
  assert.ok(said.settings.some(([id, value]) => id === ENABLE_CONNECT_PROTOCOL && value === 1));
});

test('bytes of a tunnel pass both ways, and it ends on each side on its own', async (t) => {
  for (const first of ['client', 'origin']) {
    const rig = await open(t);
    const { peer, upstream, origin } = rig;
    const asked = origin.requests[0]!;
    assert.equal(asked.startLine, 'GET /chat HTTP/1.1');
    assert.deepEqual([asked.fields('upgrade'), asked.fields('host')], [['websocket'], ['app.localhost']]);
    assert.match(asked.fields('sec-websocket-key').join(), /^\S{24}$/);
    assert.deepEqual(peer.stream(1).values('sec-websocket-accept'), []);
    peer.data(1, 'ping');
    await upstream.until(/ping$/);
    await upstream.send('pong');
    await peer.when(() => peer.stream(1).body === 'pong');
    if (first === 'client') {
      peer.data(1, 'bye', END_STREAM);
      await upstream.until(/bye$/);
      await upstream.end();
      assert.equal(upstream.ended, 'fin');
      await upstream.send('and bye');
      upstream.finish();
    } else {
      await upstream.send('and bye');
      upstream.finish();
      await peer.when(() => peer.stream(1).ended);
      peer.data(1, 'bye', END_STREAM);
      await upstream.end();
      assert.match(upstream.text, /pingbye$/);
    }
    assert.equal((await peer.message(1)).body, 'pongand bye');
    assert.equal(peer.rst(1), null);
    await peer.roundTrip();
    assert.equal(peer.goaway, null);
    await isClean(rig);
  }
});

test('a tunnel that one side breaks is broken for the other', async (t) => {
  const breaks: Record<string, (rig: Rig & { upstream: Peer }) => Promise<void>> = {
    RST_STREAM: async ({ peer, upstream }) => {
      peer.send(rstStream(1));
      await upstream.end();
    },
    'the client has gone': async ({ peer, upstream }) => {
      peer.destroy();
      await upstream.end();
    },
    'the client has closed its side': async ({ peer, upstream }) => {
      peer.finish();
      await upstream.end();
    },
    'the origin has gone': async ({ peer, upstream }) => {
      upstream.reset();
      assert.equal(await peer.resetOf(1), 'CONNECT_ERROR');
      assert.equal(peer.stream(1).ended, false);
    },
  };
  for (const [what, cut] of Object.entries(breaks)) {
    const rig = await open(t);
    await cut(rig).catch((error) => assert.fail(`${what}: ${error}`));
    await isClean(rig);
  }
});

/** The origin has ended and reads no more when the client ends, behind more than the network takes. */
async function endLate(t: TestContext, isTaken: boolean): Promise<void> {
  const rig = await open(t);
  const { peer, proxy, upstream, origin } = rig;
  upstream.socket.pause();
  const upload = new H2Upload(peer);
  const taken = await upload.fill(1, OFFERED_BYTES);
  assert.ok(taken < NETWORK_BYTES, `${taken} bytes were taken by nobody`);
  upstream.finish();
  await peer.when(() => peer.stream(1).ended);
  upload.end(1);
  await peer.roundTrip();
  proxy.passTime(TIMEOUTS.tunnelIdleMs - 1_000);
  assert.equal(proxy.target.connections, 1);
  if (isTaken) {
    upstream.socket.resume();
    await upstream.end();
    assert.equal(upstream.text.length - origin.requests[0]!.head.length, taken);
  } else proxy.passTime(TIMEOUTS.tunnelIdleMs);
  await isClean(rig);
}

test('a tunnel whose client ends behind its origin loses nothing', (t) => endLate(t, true));

test('a tunnel whose client ends behind its origin does not keep an origin that takes nothing more', (t) =>
  endLate(t, false));

test('a CONNECT that ends with its head ends its side of the tunnel', async (t) => {
  const rig = await start(t);
  const { peer, origin } = rig;
  peer.headers(1, connect(), END_STREAM);
  assert.equal((await peer.head(1)).status, 200);
  await origin.peers[0]!.end();
  await origin.peers[0]!.send('bye');
  origin.peers[0]!.finish();
  assert.equal((await peer.message(1)).body, 'bye');
  await isClean(rig);
});

test('an origin that does not upgrade is answered with what it says, never as a tunnel', async (t) => {
  const answers = [ok('plain'), 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'];
  for (const [i, status] of [502, 403].entries()) {
    const rig = await start(t, (_asked, peer) => peer.send(answers[i]!));
    const { peer } = rig;
    peer.headers(1, connect());
    peer.data(1, 'sent ahead');
    const answer = await peer.message(1);
    assert.deepEqual([answer.status, answer.body], [status, ['plain', 'no'][i]]);
    assert.equal(rig.origin.peers[0]!.text.includes('sent ahead'), false);
    rig.origin.peers[0]!.destroy();
    peer.send(rstStream(1));
    await peer.roundTrip();
    await isClean(rig);
  }
});
