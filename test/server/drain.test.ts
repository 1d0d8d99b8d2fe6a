import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { mock, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { CertificateManager } from '../../src/certs/manager.ts';
import { request, startChain } from '../support/chain.ts';
import { ok, startOrigin } from '../support/origin.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';
import { startProxy } from '../support/proxy-rig.ts';

test('closing ends idle connections at once and refuses new ones, while a request under way is finished', async (t) => {
  const { connect, origin, server, httpsPort, httpPort, logged } = await startChain(t, {
    script: (asked, peer) => (asked.startLine.includes('/slow') ? null : peer.send(ok())),
  });
  const [silent, idle, busy, uploading] = [await connect(), await connect(), await connect(), await connect()];
  await idle.send(request());
  await idle.message();
  await busy.send(request('/slow'));
  await uploading.send(request('/slow', ['Content-Length: 4'], 'POST'), 'ab');
  await origin.request(2);
  const [slow, upload] = origin.peers.filter(({ text }) => text.includes('/slow')) as [Peer, Peer];

  const closed = server.close();
  await Promise.all([silent.end(), idle.end()]);
  for (const peer of [silent, idle]) peer.destroy();
  await assert.rejects(connectSecure(httpsPort));
  await assert.rejects(connectPlain(httpPort));
  await uploading.send('cd');
  await upload.until('abcd');
  for (const [client, peer] of [
    [busy, slow],
    [uploading, upload],
  ] as const) {
    await peer.send(ok('finished'));
    const response = await client.message();
    assert.equal(response.body, 'finished');
    assert.deepEqual(response.fields('connection'), ['close']);
    await client.end();
    client.destroy();
  }
  await closed;
  for (const peer of origin.peers) await peer.end();
  assert.doesNotMatch(logged.join(''), /drain timeout/);
});

test('a client that has connected, or is about to, still gets its first request answered', async (t) => {
  const { connect, server, httpsPort } = await startChain(t, { script: (_asked, peer) => peer.send(ok('first')) });
  const connected = await connect();
  const raw = createConnection(httpsPort, '127.0.0.1');
  await once(raw, 'connect');
  const closed = server.close();
  const secure = tlsConnect({ socket: raw, servername: 'app.localhost', rejectUnauthorized: false });
  t.after(() => secure.destroy());
  await once(secure, 'secureConnect');
  secure.write(request());
  assert.match(await text(secure), /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*first$/i);
  await connected.send(request());
  const response = await connected.message();
  assert.deepEqual([response.body, response.fields('connection')], ['first', ['close']]);
  await connected.end();
  connected.destroy();
  await closed;
});

test('a response that has begun ends whole, and its connection after it', async (t) => {
  const { connect, origin, server } = await startChain(t, {
    script: (_asked, peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'),
  });
  const client = await connect();
  await client.send(request());
  await client.until('abc');
  const closed = server.close();
  await origin.peers[0]!.send('def');
  assert.equal((await client.message()).body, 'abcdef');
  await client.end();
  client.destroy();
  await closed;
});

test('requests that were pipelined before closing began are answered', async (t) => {
  const { connect, origin, server } = await startChain(t, {
    script: (asked, peer) => (asked.startLine.includes('/1') ? null : peer.send(ok('second'))),
  });
  const client = await connect();
  await client.send(request('/1') + request('/2') + request('/3'));
  await origin.request(0);
  const closed = server.close();
  await origin.peers[0]!.send(ok('first'));
  const first = await client.message();
  assert.equal(first.body, 'first');
  assert.deepEqual(first.fields('connection'), ['close'], 'the last one that is answered says so');
  await client.end();
  client.destroy();
  await closed;
  assert.equal(origin.requests.length, 1);
});

test('a redirect given while closing still names the port of the TLS listener', async (t) => {
  const { server, httpPort, httpsPort } = await startChain(t);
  const client = await connectPlain(httpPort);
  await client.send(request());
  await client.message();
  await client.send('GET /x HTTP/1.1\r\nHost: app');
  // The proxy has read that much once it has answered somebody who asked later.
  const later = await connectPlain(httpPort);
  await later.send(request());
  await later.message();
  later.destroy();
  const closed = server.close();
  await client.send('.localhost\r\n\r\n');
  assert.deepEqual((await client.message()).fields('location'), [`https://app.localhost:${httpsPort}/x`]);
  await client.end();
  client.destroy();
  server.destroy();
  await closed;
});

test('what does not end within the drain time is cut, and said so', async (t) => {
  const { connect, origin, server, logged } = await startChain(t, {
    script: () => null,
    timeouts: { drain: '100ms' },
  });
  const client = await connect();
  await client.send(request());
  await origin.request(0);
  await server.close();
  await client.end();
  await origin.peers[0]!.end();
  assert.match(logged.join(''), /drain timeout/);
});

test('destroying ends everything now, also a close that waits', async (t) => {
  const { connect, origin, server } = await startChain(t, { script: () => null });
  const client = await connect();
  await client.send(request());
  await origin.request(0);
  const closed = server.close();
  server.destroy();
  await closed;
  await client.end();
  await origin.peers[0]!.end();
});

test('closing is idempotent, and starting on a port in use says so and leaves nothing open', async (t) => {
  const origin = await startOrigin(t);
  const config = { sites: { 'app.localhost': 3000 }, listen: { http: 'off', https: `127.0.0.1:${origin.port}` } };
  await assert.rejects(startProxy(config), { code: 'listen_in_use', message: /the port is in use/ });
  const rig = await startProxy({ sites: { 'app.localhost': 3000 } });
  await Promise.all([rig.server.close(), rig.server.close()]);
  await rig.server.close();
  await rig.stop();
});

test('no certificate is obtained any more from the moment that nobody could prove a name', async (t) => {
  const { connect, origin, server } = await startChain(t, { script: () => null });
  const client = await connect();
  await client.send(request());
  await origin.request(0);
  const close = mock.method(CertificateManager.prototype, 'close');
  t.after(() => close.mock.restore());
  const closed = server.close();
  assert.equal(close.mock.callCount(), 1, 'while a request is still under way');
  await origin.peers[0]!.send(ok());
  assert.equal((await client.message()).status, 200);
  client.destroy();
  await closed;
});
