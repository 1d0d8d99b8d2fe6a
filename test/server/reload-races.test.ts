// Reloads that come at a bad moment, or go wrong inside: nothing is left open, and the next one is heard.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Config, ListenConfig } from '../../src/config/config.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Listeners } from '../../src/server/listeners.ts';
import { Server } from '../../src/server/server.ts';
import { capturedLog } from '../support/captured-log.ts';
import { request, startChain } from '../support/chain.ts';
import { freePort } from '../support/free-port.ts';
import { startOrigin } from '../support/origin.ts';
import { connectPlain, connectSecure } from '../support/peer.ts';
import { startProxy } from '../support/proxy-rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

async function unstarted(t: TestContext) {
  const folder = await temporaryFolder(t);
  const configOn = (port: number): Config => {
    const listen = { http: 'off', https: `127.0.0.1:${port}` };
    const value = { storage: 'storage', listen, sites: { 'app.localhost': { respond: { body: 'hello' } } } };
    const result = loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: Date.now() });
    assert.ok(result.ok);
    return result.config;
  };
  const [first, other] = [configOn(await freePort()), configOn(await freePort())];
  const server = new Server(first, { log: capturedLog().log, clock: systemClock });
  t.after(() => server.destroy());
  return { server, first, other, portOf: ({ listen }: Config): number => listen.https[0]!.port };
}

test('one that comes during the start waits for it, and takes over its listeners', async (t) => {
  const { server, first, other, portOf } = await unstarted(t);
  const [, result] = await Promise.all([server.start(), server.reload(other)]);
  assert.ok(result.accepted, JSON.stringify(result));
  await assert.rejects(connectPlain(portOf(first)), 'that of the start is closed');
  (await connectPlain(portOf(other))).destroy();
});

test('listeners that are closed while some are being opened leave none open', async () => {
  const port = await freePort();
  const address = { host: '127.0.0.1', port, proxyProtocol: false, h2c: false, position: 'a test' };
  const listeners = new Listeners(() => {});
  const change = listeners.prepare({ http: [], https: [address], redirectPort: null } as unknown as ListenConfig);
  listeners.close();
  await assert.rejects(change, { code: 'closed' });
  await assert.rejects(connectPlain(port));
});

test('one that goes wrong inside is refused, changes nothing, and the next one is taken', async (t) => {
  const { server, first, other, portOf } = await unstarted(t);
  await server.start();
  const broken = await server.reload({ ...other, trustedProxies: null } as unknown as Config);
  assert.equal(broken.accepted, false);
  assert.equal(server.config, first);
  await assert.rejects(connectPlain(portOf(other)));
  (await connectPlain(portOf(first))).destroy();
  assert.ok((await server.reload(other)).accepted);
});

test('a server that is closed while one is under way ends whole', async (t) => {
  const { server, other, portOf } = await unstarted(t);
  await server.start();
  const reload = server.reload(other);
  await server.close();
  await reload;
  await assert.rejects(connectPlain(portOf(other)));
});

test('an address that the one in force still holds is told apart from another program', async (t) => {
  const port = await freePort();
  const sites = { 'app.localhost': { respond: { body: 'hello' } } };
  const rig = await startProxy({ listen: { http: 'off', https: `:${port}` }, sites });
  t.after(() => rig.stop());
  const result = await rig.reload({ listen: { http: 'off', https: `127.0.0.1:${port}` }, sites });
  assert.match(
    result.accepted ? '' : result.message,
    new RegExp(`cannot listen on "127\\.0\\.0\\.1:${port}": ":${port}" .* restart`),
  );
});

test('tunnels end with their site however often it changed since they began', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.send(SWITCHED));
  const proxy = `http://127.0.0.1:${origin.port}`;
  const config = (sites: unknown) => ({ sites, timeouts: { retire: '1s' } });
  const rig = await startProxy(config({ 'app.localhost': { proxy } }));
  t.after(() => rig.stop());
  const client = await connectSecure(rig.httpsPort);
  t.after(() => client.destroy());
  await client.send(request('/', UPGRADE));
  await client.until('101');
  assert.ok((await rig.reload(config({ 'app.localhost': { proxy, maxBody: '1MiB' } }))).accepted);
  assert.ok((await rig.reload({ ...config({ 'app.localhost': { proxy } }), underscoreHeaders: ['a_b'] })).accepted);
  await client.send('still there');
  await origin.peers[0]!.until('still there');
  assert.ok((await rig.reload(config({ 'other.localhost': { proxy } }))).accepted);
  await Promise.all([client.end(), origin.peers[0]!.end()]);
});

test('a tunnel that begins just after its site is gone has its time too, and is cut then', async (t) => {
  const chain = await startChain(t, { script: () => null, timeouts: { retire: '1s' } });
  const client = await chain.connect();
  await client.send(request('/', UPGRADE));
  const peer = await chain.origin.connection(0);
  await chain.origin.request(0);
  const sites = { 'other.localhost': { proxy: `http://127.0.0.1:${chain.origin.port}` } };
  assert.ok((await chain.reload({ sites, timeouts: { retire: '1s' } })).accepted);
  await peer.send(SWITCHED);
  await client.until('101');
  await client.send('still there');
  await peer.until('still there');
  await Promise.all([client.end(), peer.end()]);
});
