// HTTP/1.1 to https:// targets, through the whole data plane: reuse, ends, cuts, back-pressure, upgrades, deadlines.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TargetTls } from '../../src/config/config.ts';
import { type BareProxy, startBareProxy, TIMEOUTS } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { type Origin, ok, type Script, startOrigin } from '../support/origin.ts';
import { originTls, secureTarget } from '../support/secure-origin.ts';
import { startSilentListener } from '../support/silent-listener.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TLS = originTls(['origin.test', '127.0.0.1', 'localhost']);
const HEAD = 'HTTP/1.1 200 OK\r\n';

interface Rig extends BareProxy {
  readonly origin: Origin;
}

async function start(t: TestContext, script?: Script, settings: Partial<TargetTls> = {}): Promise<Rig> {
  const origin = await startOrigin(t, script, { tls: TLS });
  const proxy = await startBareProxy(t, secureTarget(origin.port, settings));
  return { ...proxy, origin };
}

const hash = (bytes: Buffer | string): string =>
  createHash('sha256')
    .update(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    .digest('hex');

// These two first: they count handles, and sockets of tests before them may still be closing.

test('a client that leaves during the handshake takes the connection with it', async (t) => {
  const silent = await startOrigin(t);
  const proxy = await startBareProxy(t, secureTarget(silent.port));
  const before = liveHandles();
  const client = await proxy.connect();
  await client.send(request('/'));
  const peer = await silent.connection(0);
  await peer.when(() => peer.received > 0);
  client.reset();
  await peer.end();
  await proxy.idle();
  assert.deepEqual([proxy.target.inflight, proxy.target.connections], [0, 0]);
  peer.destroy();
  await handlesBackTo(before);
});

test('nothing is left behind by handshakes that fail and connections that end', async (t) => {
  const { connect, idle, target, faults, origin } = await start(t, (_asked, peer) => peer.send(ok()));
  const before = liveHandles();
  for (let i = 0; i < 10; i++) {
    const client = await connect();
    await client.send(request('/'));
    await client.message();
    client.destroy();
    for (const peer of origin.peers) peer.cut();
    while (target.connections > 0) await new Promise(setImmediate);
  }
  await idle();
  assert.deepEqual(faults, []);
  for (const peer of origin.peers) peer.destroy();
  await handlesBackTo(before);
});

test('requests one after another share one connection', async (t) => {
  const { origin, connect, target, logged } = await start(t);
  const client = await connect();
  for (let i = 0; i < 5; i++) {
    await client.send(request(`/${i}`));
    assert.equal((await client.message()).body, 'hello');
  }
  assert.equal(origin.peers.length, 1);
  assert.equal(origin.requests.length, 5);
  assert.deepEqual([target.connections, target.inflight, logged], [1, 0, []]);
});

test('requests that come together before anything is known all get a connection', async (t) => {
  const { origin, connect, target } = await start(t);
  const clients = await Promise.all(Array.from({ length: 12 }, connect));
  await Promise.all(clients.map((client) => client.send(request('/'))));
  for (const client of clients) assert.equal((await client.message()).status, 200);
  assert.ok(origin.peers.length <= 12, `${origin.peers.length}`);
  assert.equal(target.inflight, 0);
});

test('a unix socket may speak TLS', async (t) => {
  const path = join(await temporaryFolder(t), 'app.sock');
  await startOrigin(t, undefined, { tls: TLS, path });
  const { connect } = await startBareProxy(t, secureTarget(path, { servername: 'localhost' }));
  const client = await connect();
  await client.send(request('/'));
  assert.equal((await client.message()).body, 'hello');
});

test('a name with several addresses is tried at each', async (t) => {
  const origin = await startOrigin(t, undefined, { tls: TLS }); // on IPv4 only
  const target = { ...secureTarget(origin.port, { servername: 'localhost' }), host: 'localhost' };
  const { connect } = await startBareProxy(t, target);
  const client = await connect();
  await client.send(request('/'));
  assert.equal((await client.message()).body, 'hello');
});

for (const how of ['finish', 'cut', 'reset'] as const) {
  test(`an idle connection that the target ends (${how}) is not used again`, async (t) => {
    const { origin, connect, target } = await start(t);
    const client = await connect();
    await client.send(request('/'));
    await client.message();
    const peer = origin.peers[0]!;
    peer[how]();
    if (how !== 'reset') await peer.end();
    while (target.connections > 0) await new Promise(setImmediate);
    await client.send(request('/'));
    assert.equal((await client.message()).status, 200);
    assert.equal(origin.peers.length, 2);
  });
}

test('what meets a connection that has just been closed is repeated only where that is harmless', async (t) => {
  const { origin, connect } = await start(t, (_asked, peer, connection) => {
    if (connection === 0 && origin.requests.length === 2) peer.cut();
    else void peer.send(ok());
  });
  const client = await connect();
  await client.send(request('/'));
  await client.message();
  await client.send(request('/again'));
  assert.equal((await client.message()).status, 200);
  const other = await start(t, (_asked, peer) => {
    if (other.origin.requests.length === 2) peer.cut();
    else void peer.send(ok());
  });
  const second = await other.connect();
  await second.send(request('/'));
  await second.message();
  await second.send(post('/', 'once'));
  assert.equal((await second.message()).status, 502);
  assert.equal(other.origin.requests.length, 2);
});

const bodies = [
  ['a declared length', `${HEAD}Content-Length: 100\r\n\r\n0123456789`],
  ['chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n`],
  ['no declared end', `${HEAD}\r\n0123456789`],
] as const;

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const [what, answer] of bodies) {
    for (const how of ['cut', 'reset'] as const) {
      test(`an answer with ${what} that breaks off is not complete (${how}, ${maxVersion})`, async (t) => {
        const origin = await startOrigin(t, (_asked, peer) => peer.send(answer), { tls: { ...TLS, maxVersion } });
        const proxy = await startBareProxy(t, secureTarget(origin.port));
        const client = await proxy.connect();
        await client.send(request('/'));
        await client.until('0123456789');
        origin.peers[0]![how]();
        const text = await client.end();
        assert.ok(!text.endsWith('\r\n0\r\n\r\n'), text);
        assert.equal(client.ended, 'reset');
        assert.equal(proxy.target.inflight, 0);
        assert.match(proxy.logged.join(), /upstream failed/);
      });
    }
  }

  test(`an answer with no declared end is complete when TLS is closed (${maxVersion})`, async (t) => {
    const script: Script = async (_asked, peer) => {
      await peer.send(`${HEAD}\r\n0123456789`);
      peer.finish();
    };
    const origin = await startOrigin(t, script, { tls: { ...TLS, maxVersion } });
    const proxy = await startBareProxy(t, secureTarget(origin.port));
    const client = await proxy.connect();
    await client.send(request('/'));
    assert.equal((await client.message()).body, '0123456789');
    assert.deepEqual(proxy.logged, []);
  });
}

const CONTENT = randomBytes(8 * 1024 * 1024);

test('a large upload arrives whole at a target that stops in between', async (t) => {
  const { connect, origin } = await start(t, async (_asked, peer) => {
    const { body } = await peer.message();
    await peer.send(ok(hash(body)));
  });
  const client = await connect();
  client.socket.write(request('/', [`Content-Length: ${CONTENT.length}`], 'PUT'));
  client.socket.write(CONTENT);
  const peer = await origin.connection(0);
  for (let i = 1; i < 10; i++) {
    await peer.when(() => peer.received > (i * CONTENT.length) / 10);
    peer.socket.pause();
    await new Promise(setImmediate);
    peer.socket.resume();
  }
  assert.equal((await client.message()).body, hash(CONTENT));
});

for (const [what, head] of [
  ['a declared length', `${HEAD}Content-Length: ${CONTENT.length}\r\nConnection: close\r\n\r\n`],
  ['no declared end', `${HEAD}\r\n`],
] as const) {
  test(`a large answer with ${what} arrives whole at a client that stops in between`, async (t) => {
    const { connect, target } = await start(t, (_asked, peer) => {
      peer.socket.write(head);
      peer.socket.end(CONTENT);
    });
    const client = await connect();
    client.socket.pause();
    await client.send(request('/'));
    for (let i = 0; i < 20; i++) {
      client.socket.resume();
      await client.when(() => client.received >= (i * CONTENT.length) / 40);
      client.socket.pause();
      await new Promise(setImmediate);
    }
    client.socket.resume();
    assert.equal(hash((await client.message()).body), hash(CONTENT));
    assert.equal(target.inflight, 0);
  });
}

test('an upgraded connection carries bytes both ways, and each side may end', async (t) => {
  const { connect, origin, target } = await start(t, async (_asked, peer) => {
    await peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nwelcome');
    peer.socket.on('data', (chunk) => peer.socket.write(chunk));
    peer.socket.on('end', () => peer.socket.end('bye'));
  });
  const client = await connect();
  await client.send(request('/', ['Connection: upgrade', 'Upgrade: echo']));
  await client.until('welcome');
  await client.send('ping');
  await client.until('welcomeping');
  client.finish();
  assert.match(await client.end(), /pingbye$/);
  assert.equal((await origin.connection(0)).ended, 'fin');
  while (target.inflight > 0) await new Promise(setImmediate);
});

test('an upgraded connection that is cut does not end cleanly', async (t) => {
  const { connect, origin } = await start(t, (_asked, peer) =>
    peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nwelcome'),
  );
  const client = await connect();
  await client.send(request('/', ['Connection: upgrade', 'Upgrade: echo']));
  await client.until('welcome');
  origin.peers[0]!.cut();
  await client.end();
  assert.equal(client.ended, 'reset');
});

test('the time for connecting covers the handshake', async (t) => {
  const silent = await startOrigin(t); // accepts, and waits for a request in the clear
  const { connect, passTime, logged } = await startBareProxy(t, secureTarget(silent.port));
  const client = await connect();
  await client.send(request('/'));
  const peer = await silent.connection(0);
  await peer.when(() => peer.received > 0);
  passTime(TIMEOUTS.connectMs);
  assert.equal((await client.message()).status, 504);
  assert.match(logged.join(), /the TLS handshake took too long/);
  await peer.end();
});

test('the time for connecting covers the connecting', async (t) => {
  const port = await startSilentListener(t);
  const { connect, passTime, logged, sweep } = await startBareProxy(t, secureTarget(port));
  const client = await connect();
  await client.send(request('/'));
  while (sweep.size < 2) await new Promise(setImmediate);
  passTime(TIMEOUTS.connectMs);
  assert.equal((await client.message()).status, 504);
  assert.match(logged.join(), /connecting took too long/);
});

test('a target that is closing lets go of idle connections at once and of busy ones after their answer', async (t) => {
  const { promise: asked, resolve: answer } = Promise.withResolvers<() => void>();
  const { connect, target, origin } = await start(t, (received, peer) => {
    if (received.startLine.includes('/slow')) answer(() => void peer.send(ok()));
    else void peer.send(ok());
  });
  const [one, two] = [await connect(), await connect()];
  await one.send(request('/'));
  await one.message();
  await two.send(request('/slow'));
  const respond = await asked;
  await one.send(request('/'));
  await one.message();
  target.closeIdle();
  await origin.peers[1]!.end();
  respond();
  assert.equal((await two.message()).status, 200);
  for (const peer of origin.peers) await peer.end();
});
