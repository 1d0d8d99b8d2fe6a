// Targets that a reload removes while something is on its way to them, over HTTP/2 and by TLS, on either side.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type H2Script, startH2Origin } from '../support/h2-origin.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { ask, openSession } from '../support/node-h2-client.ts';
import { ok, startOrigin } from '../support/origin.ts';
import { type ProxyRig, startProxy } from '../support/proxy-rig.ts';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const ELSEWHERE = { respond: { body: 'elsewhere' } };

async function served(t: TestContext, proxy: unknown, retire = '1h') {
  const config = (site: unknown, name = 'app.localhost') => ({
    sites: { [name]: site, 'stays.localhost': ELSEWHERE },
    timeouts: { retire },
  });
  const rig: ProxyRig = await startProxy(config({ proxy }));
  t.after(() => rig.stop());
  const place = { port: rig.httpsPort, name: 'app.localhost', ca: '' };
  const session: ClientHttp2Session = await openSession(t, place, { rejectUnauthorized: false });
  const reload = async (site: unknown, name?: string): Promise<void> => {
    const result = await rig.reload(config(site, name));
    assert.ok(result.accepted, JSON.stringify(result));
  };
  return { rig, session, reload };
}

/** A port that leads to `port` once somebody says so. */
async function gated(t: TestContext, port: number) {
  const held: Socket[] = [];
  const server = createServer((socket) => void held.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  t.after(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const open = (): void => {
    for (const socket of held) {
      const onward = connect(port, '127.0.0.1').on('error', () => {});
      socket.pipe(onward).pipe(socket);
    }
  };
  const came = async (): Promise<void> => {
    while (held.length === 0) await once(server, 'connection');
  };
  const cut = (): void => {
    for (const socket of held) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, open, came, cut };
}

/** However it ended. */
function closed(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => void stream.once('close', resolve));
}

test('streams to a server that has not said a word yet are answered by it', async (t) => {
  const origin = await startH2Origin(t, undefined, { settings: null });
  const { session, reload } = await served(t, `h2c://127.0.0.1:${origin.port}`);
  const answers = Promise.all([ask(session, { ':path': '/a' }), ask(session, { ':path': '/b' })]);
  const peer = await origin.connection(0);
  await reload(ELSEWHERE);
  peer.settings();
  for (const { status, body } of await answers) assert.deepEqual([status, String(body)], [200, 'hello']);
  assert.equal(String((await ask(session, { ':path': '/' })).body), 'elsewhere');
});

test('requests that wait for a handshake with it get its answer', async (t) => {
  const authority = makeAuthority();
  const { certPem: cert, keyPem: key } = mint(['localhost'], authority);
  const origin = await startH2Origin(t, undefined, { tls: { cert, key } });
  const gate = await gated(t, origin.port);
  const target = { to: `https://127.0.0.1:${gate.port}`, verify: false };
  const { session, reload } = await served(t, target);
  const answers = Promise.all([ask(session, { ':path': '/a' }), ask(session, { ':path': '/b' })]);
  await gate.came();
  await reload(ELSEWHERE);
  gate.open();
  for (const { status, body } of await answers) assert.deepEqual([status, String(body)], [200, 'hello']);
});

test('a request whose target fails goes on to the next of its group, though both are gone by then', async (t) => {
  for (const scheme of ['http', 'h2c']) {
    const next =
      scheme === 'h2c' ? await startH2Origin(t) : await startOrigin(t, (_asked, peer) => peer.send(ok('hello')));
    const gate = await gated(t, 1);
    const group = [{ to: `https://127.0.0.1:${gate.port}`, verify: false }, `${scheme}://127.0.0.1:${next.port}`];
    const { rig, session, reload } = await served(t, group);
    const answer = ask(session, { ':path': '/' });
    await gate.came();
    await reload(ELSEWHERE);
    gate.cut();
    assert.equal(String((await answer).body), 'hello');
    assert.deepEqual((await rig.server.reports())[0]!.targets, []);
  }
});

test('requests that still wait for a handshake when its time is over are answered', async (t) => {
  const gate = await gated(t, 1);
  const target = { to: `https://127.0.0.1:${gate.port}`, verify: false };
  const { session, reload } = await served(t, target, '1s');
  const answer = ask(session, { ':path': '/' });
  await gate.came();
  await reload(ELSEWHERE);
  assert.equal((await answer).status, 502);
});

test('a stream without an end, as of gRPC, has its time, and the client’s connection outlives it', async (t) => {
  const echo: H2Script = (request, peer) => peer.headers(request.stream, [[':status', '200']]);
  const origin = await startH2Origin(t, echo);
  const { session, reload } = await served(t, `h2c://127.0.0.1:${origin.port}`, '1s');
  const stream = session.request({
    ':method': 'POST',
    ':path': '/talk',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  await once(stream, 'response');
  await reload(ELSEWHERE);
  const [peer] = origin.peers;
  peer!.data(1, 'still there');
  assert.equal(String((await once(stream, 'data'))[0]), 'still there');
  stream.resume();
  await closed(stream);
  assert.equal(String((await ask(session, { ':path': '/' })).body), 'elsewhere');
});

test('a tunnel over HTTP/2 of a site that is gone has its time, and the client’s connection outlives it', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(SWITCHED));
  const { session, reload } = await served(t, `http://127.0.0.1:${origin.port}`, '1s');
  const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' });
  stream.on('error', () => {});
  const [head] = await once(stream, 'response');
  assert.equal(head[':status'], 200);
  await reload({ proxy: `http://127.0.0.1:${origin.port}` }, 'other.localhost');
  stream.write('still there');
  await origin.peers[0]!.until('still there');
  stream.resume();
  await Promise.all([closed(stream), origin.peers[0]!.end()]);
  assert.equal((await ask(session, { ':path': '/', ':authority': 'stays.localhost' })).status, 200);
});
