import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { AcceptedReload, ReloadResult } from '../../src/server/reload-result.ts';
import { request, startChain } from '../support/chain.ts';
import { freePort } from '../support/free-port.ts';
import { ask, openSession } from '../support/node-h2-client.ts';
import { ok, startOrigin } from '../support/origin.ts';
import { connectPlain, connectSecure } from '../support/peer.ts';
import { certificateReady, startProxy } from '../support/proxy-rig.ts';

const to = (port: number): string => `http://127.0.0.1:${port}`;
const site = (proxy: unknown, host = 'app.localhost') => ({ sites: { [host]: { proxy } } });
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

function accepted(result: ReloadResult): AcceptedReload {
  assert.ok(result.accepted, JSON.stringify(result));
  return result;
}

async function named(t: TestContext, name: string) {
  return startOrigin(t, (_asked, peer) => peer.send(ok(name)));
}

suite('requests', () => {
  test('on connections that stay are answered by the new configuration, over both versions of HTTP', async (t) => {
    const { connect, httpsPort, reload } = await startChain(t, { script: (_asked, peer) => peer.send(ok('old')) });
    const next = await named(t, 'new');
    const client = await connect();
    const place = { port: httpsPort, name: 'app.localhost', ca: '' };
    const session = await openSession(t, place, { rejectUnauthorized: false });
    await client.send(request());
    assert.equal((await client.message()).body, 'old');
    assert.equal(String((await ask(session, { ':path': '/' })).body), 'old');

    const { generation, changes } = accepted(await reload(site(to(next.port))));
    assert.equal(generation, 2);
    assert.deepEqual(changes, {
      sitesAdded: [],
      sitesRemoved: [],
      sitesChanged: ['app.localhost'],
      listenersOpened: [],
      listenersClosed: [],
    });
    await client.send(request());
    assert.equal((await client.message()).body, 'new');
    assert.equal(String((await ask(session, { ':path': '/' })).body), 'new');
  });

  test('under way end as they began, an upload on the target it was going to', async (t) => {
    const chain = await startChain(t, { script: () => null });
    const next = await named(t, 'new');
    const client = await chain.connect();
    await client.send(request('/', ['Content-Length: 4'], 'POST'), 'ab');
    const peer = await chain.origin.connection(0);
    await peer.until('ab');
    accepted(await chain.reload(site(to(next.port))));
    await client.send('cd');
    await peer.until('abcd');
    await peer.send(ok('old'));
    assert.equal((await client.message()).body, 'old');
    await peer.end(); // the target is gone: its connection is not kept
  });

  test('a configuration that changes nothing changes nothing', async (t) => {
    const { connect, origin, reload } = await startChain(t);
    const client = await connect();
    await client.send(request());
    await client.message();
    const { changes } = accepted(await reload(site(to(origin.port))));
    assert.deepEqual(Object.values(changes).flat(), []);
    await client.send(request());
    await client.message();
    assert.equal(origin.peers.length, 1, 'the connection to the target is the same');
  });
});

suite('sites', () => {
  test('come with their certificates, and go with them; others are not touched', async (t) => {
    const origin = await named(t, 'hello');
    const rig = await startProxy(site(to(origin.port)));
    t.after(() => rig.stop());
    const kept = await connectSecure(rig.httpsPort);
    t.after(() => kept.destroy());
    const two = { 'app.localhost': to(origin.port), 'two.localhost': to(origin.port) };
    assert.deepEqual(accepted(await rig.reload({ sites: two })).changes.sitesAdded, ['two.localhost']);
    await certificateReady(rig.httpsPort, 'two.localhost');
    const other = await connectSecure(rig.httpsPort, { servername: 'two.localhost' });
    t.after(() => other.destroy());
    await other.send(request().replace('app.', 'two.'));
    assert.equal((await other.message()).status, 200);

    assert.deepEqual(accepted(await rig.reload(site(to(origin.port)))).changes.sitesRemoved, ['two.localhost']);
    await other.send(request().replace('app.', 'two.'));
    assert.equal((await other.message()).status, 421);
    await assert.rejects(connectSecure(rig.httpsPort, { servername: 'two.localhost' }));
    await kept.send(request());
    assert.equal((await kept.message()).status, 200);
  });

  test('settings that all sites share reach them all', async (t) => {
    const { connect, origin, reload } = await startChain(t);
    const client = await connect();
    await client.send(request('/', ['X_Token: a']));
    await client.message();
    accepted(await reload({ ...site(to(origin.port)), underscoreHeaders: ['x_token'], trustedProxies: ['127.0.0.1'] }));
    await client.send(request('/', ['X_Token: a', 'X-Forwarded-For: 192.0.2.1']));
    await client.message();
    const [before, after] = [await origin.request(0), await origin.request(1)];
    assert.deepEqual([before.fields('x_token'), after.fields('x_token')], [[], ['a']]);
    assert.deepEqual(after.fields('x-forwarded-for'), ['192.0.2.1, 127.0.0.1']);
  });
});

suite('listeners', () => {
  test('that are new are opened, those that are gone accept no more and let their connections end', async (t) => {
    const origin = await startOrigin(t, (asked, peer) => (asked.startLine.includes('/slow') ? null : peer.send(ok())));
    const [first, second] = [await freePort(), await freePort()];
    const listen = (port: number) => ({
      listen: { http: 'off', https: `127.0.0.1:${port}` },
      ...site(to(origin.port)),
    });
    const rig = await startProxy(listen(first));
    t.after(() => rig.stop());
    const [idle, busy] = [await connectSecure(first), await connectSecure(first)];
    t.after(() => [idle, busy].map((peer) => peer.destroy()));
    await busy.send(request('/slow'));
    await origin.request(0);

    const { changes } = accepted(await rig.reload(listen(second)));
    assert.deepEqual(changes.listenersOpened, [`https 127.0.0.1:${second}`]);
    assert.deepEqual(changes.listenersClosed, [`https 127.0.0.1:${first}`]);
    await idle.end();
    await assert.rejects(connectPlain(first));
    await origin.peers[0]!.send(ok('finished'));
    assert.equal((await busy.message()).body, 'finished');
    await busy.end();
    const client = await connectSecure(second);
    t.after(() => client.destroy());
    await client.send(request());
    assert.equal((await client.message()).status, 200);
  });

  test('one that cannot be opened refuses the whole configuration, and nothing has changed', async (t) => {
    const { connect, origin, reload, server } = await startChain(t);
    const taken = await startOrigin(t);
    const free = await freePort();
    const result = await reload({
      ...site(to(taken.port), 'other.localhost'),
      listen: { http: `127.0.0.1:${free}`, https: ['127.0.0.1:0', `127.0.0.1:${taken.port}`] },
    });
    assert.equal(result.accepted, false);
    assert.match(result.accepted ? '' : result.message, new RegExp(`127\\.0\\.0\\.1:${taken.port}.*in use`));
    assert.equal(server.generation, 1);
    await assert.rejects(connectPlain(free), 'what had been opened is closed again');
    const client = await connect();
    await client.send(request());
    assert.equal((await client.message()).status, 200);
    assert.equal(origin.peers.length, 1);
  });

  test('a port may change from plain to TLS without being closed', async (t) => {
    const origin = await named(t, 'hello');
    const [a, b] = [await freePort(), await freePort()];
    const listen = (http: number, https: number) => ({
      listen: { http: `127.0.0.1:${http}`, https: `127.0.0.1:${https}` },
      ...site(to(origin.port)),
    });
    const rig = await startProxy(listen(a, b));
    t.after(() => rig.stop());
    accepted(await rig.reload(listen(b, a)));
    const client = await connectSecure(a);
    t.after(() => client.destroy());
    await client.send(request());
    assert.equal((await client.message()).body, 'hello');
    assert.deepEqual(
      rig.server.addresses.http.map(({ port }) => port),
      [b],
    );
  });
});

suite('tunnels', () => {
  async function tunnel(t: TestContext, retire: string) {
    const origin = await startOrigin(t, (_asked, peer) => peer.send(SWITCHED));
    const config = (sites: unknown) => ({ sites, timeouts: { retire } });
    const rig = await startProxy(config({ 'app.localhost': to(origin.port) }));
    t.after(() => rig.stop());
    const client = await connectSecure(rig.httpsPort);
    t.after(() => client.destroy());
    await client.send(request('/', UPGRADE));
    await client.until('101');
    const reload = async (sites: unknown) => accepted(await rig.reload(config(sites)));
    return { client, peer: origin.peers[0]!, port: origin.port, reload };
  }

  test('of a route that now leads elsewhere go on', async (t) => {
    const other = await named(t, 'other');
    const { client, peer, reload } = await tunnel(t, '1h');
    await reload({ 'app.localhost': to(other.port) });
    await client.send('from the client');
    await peer.until('from the client');
    await peer.send('from the server');
    await client.until('from the server');
  });

  test('of a site that is gone have their time, and are cut then', async (t) => {
    const { client, peer, port, reload } = await tunnel(t, '1s');
    await reload({ 'other.localhost': to(port) });
    await client.send('still there');
    await peer.until('still there');
    await Promise.all([client.end(), peer.end()]);
  });

  test('to a target that is gone have their time, and are cut then', async (t) => {
    const other = await named(t, 'other');
    const { client, peer, reload } = await tunnel(t, '1s');
    await reload({ 'app.localhost': to(other.port) });
    await client.send('still there');
    await peer.until('still there');
    await Promise.all([client.end(), peer.end()]);
  });
});

test('what a running process cannot follow is refused and says so', async (t) => {
  const { origin, reload } = await startChain(t);
  const result = await reload({ ...site(to(origin.port)), storage: 'elsewhere' });
  assert.match(result.accepted ? '' : result.message, /"storage" .*elsewhere"; restart it/);
});

test('a closed server takes no other configuration', async (t) => {
  const { origin, reload, server } = await startChain(t);
  await server.close();
  assert.equal((await reload(site(to(origin.port)))).accepted, false);
});
