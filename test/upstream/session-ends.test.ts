// Upstream connections of HTTP/2 in bad company: servers that refuse tunnels, say nothing, take nothing, or leave in anger.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMEOUTS } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import {
  ENABLE_CONNECT_PROTOCOL,
  END_STREAM,
  goAway,
  MAX_CONCURRENT_STREAMS,
  rstStream,
  settings,
} from '../support/h2-frames.ts';
import { answerHello } from '../support/h2-origin.ts';
import { startH2cProxy } from '../support/h2c-proxy.ts';

const IDLE_MS = 700_000;

const OK = (count: number): number[] => Array.from({ length: count }, () => 200);

test('of several protocols a stream asks for the first', async (t) => {
  const { connect, origin } = await startH2cProxy(
    t,
    (asked, peer) => void peer.headers(asked.stream, [[':status', '200']]),
    {
      settings: [[ENABLE_CONNECT_PROTOCOL, 1]],
    },
  );
  const client = await connect();
  await client.send(request('/', ['Connection: upgrade', 'Upgrade: Foo/2, websocket']));
  await client.until('\r\n\r\n');
  assert.match(client.text, /^HTTP\/1\.1 101 .*\r\nUpgrade: foo\/2\r\n/is);
  assert.doesNotMatch(client.text, /websocket/);
  assert.equal(origin.requests[0]!.value(':protocol'), 'foo');
});

test('an upgrade that is answered otherwise leaves no stream behind, whoever ends it', async (t) => {
  const { connect, origin, target, passTime } = await startH2cProxy(
    t,
    (asked, peer) => void peer.headers(asked.stream, [[':status', '403']], END_STREAM),
    { settings: [[ENABLE_CONNECT_PROTOCOL, 1]] },
  );
  const client = await connect();
  await client.send(request('/', ['Connection: upgrade', 'Upgrade: websocket']));
  assert.equal((await client.message()).status, 403);
  await origin.peers[0]!.roundTrip();
  passTime(IDLE_MS);
  await origin.peers[0]!.end();
  origin.peers[0]!.finish();
  while (target.connections > 0) await new Promise(setImmediate);
});

for (const isThere of [false, true])
  test(`after an answer that does not come ${isThere ? 'a connection by which something came' : 'a silent connection'} is ${isThere ? 'used on' : 'given no more'}`, async (t) => {
    const { ask, statuses, origin, passTime } = await startH2cProxy(t, (asked, peer, connection) => {
      if (origin.requests.length !== 2) answerHello(asked, peer, connection);
    });
    assert.deepEqual(await statuses(await ask(1)), OK(1));
    const [waiting] = await ask(1);
    await origin.request(1);
    if (isThere) await origin.peers[0]!.roundTrip();
    passTime(TIMEOUTS.responseHeadMs);
    assert.equal((await waiting!.message()).status, 504);
    assert.deepEqual(await statuses(await ask(2)), OK(2));
    assert.equal(origin.peers.length, isThere ? 1 : 2);
  });

test('a connection that takes no requests at all is closed when it has none', async (t) => {
  const { ask, statuses, origin, target } = await startH2cProxy(
    t,
    (asked, peer) => void peer.send(settings([MAX_CONCURRENT_STREAMS, 0]), rstStream(asked.stream, 'REFUSED_STREAM')),
  );
  assert.deepEqual(await statuses(await ask(1)), [502]);
  assert.equal(origin.peers.length, 3);
  for (const peer of origin.peers) {
    await peer.end();
    peer.finish();
  }
  while (target.connections > 0) await new Promise(setImmediate);
});

for (const ending of ['after GOAWAY', 'with GOAWAY'])
  test(`what a target has against a connection that it ends stands in the log (${ending})`, async (t) => {
    const { ask, statuses, logged } = await startH2cProxy(t, (asked, peer) => {
      const last = ending === 'after GOAWAY' ? asked.stream : 0;
      void peer.send(goAway(last, 'ENHANCE_YOUR_CALM'));
      peer.finish();
    });
    assert.deepEqual(await statuses(await ask(1)), [502]);
    assert.match(logged.join(), /ENHANCE_YOUR_CALM/);
  });

test('a target that wants HTTP/1.1 is told apart, with what to do about it', async (t) => {
  const { ask, statuses, logged } = await startH2cProxy(
    t,
    (asked, peer) => void peer.send(rstStream(asked.stream, 'HTTP_1_1_REQUIRED')),
  );
  assert.deepEqual(await statuses(await ask(1)), [502]);
  assert.match(logged.join(), /HTTP_1_1_REQUIRED; name it as .*http:\/\//);
});
