// Targets that an operator drains and enables again: what comes anew, what is under way, and what a reload does to it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RecentError } from '../../src/observe/traffic/recent-errors.ts';
import { trafficTogether } from '../../src/observe/traffic/traffic-report.ts';
import { request } from '../support/chain.ts';
import { ok, type Script, startOrigin } from '../support/origin.ts';
import { connectSecure, type Peer } from '../support/peer.ts';
import { certificateReady, startProxy } from '../support/proxy-rig.ts';
import { refusedPort } from '../support/refused-port.ts';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

const script =
  (name: string): Script =>
  ({ startLine }, peer) => {
    if (startLine.includes('/slow')) return;
    return peer.send(startLine.includes('/ws') ? SWITCHED : ok(name));
  };

async function group(t: TestContext) {
  const [a, b] = [await startOrigin(t, script('a')), await startOrigin(t, script('b'))];
  const [nameA, nameB] = [`http://127.0.0.1:${a.port}`, `http://127.0.0.1:${b.port}`];
  const config = { sites: { 'app.localhost': { proxy: [nameA, nameB] } } };
  const rig = await startProxy(config);
  t.after(() => rig.stop());
  const connect = async (): Promise<Peer> => {
    const client = await connectSecure(rig.httpsPort);
    t.after(() => client.destroy());
    return client;
  };
  const client = await connect();
  const answers = async (count: number): Promise<string> => {
    let text = '';
    for (let i = 0; i < count; i++) {
      await client.send(request());
      const { status, body } = await client.message();
      text += status === 200 ? body : ` ${status}`;
    }
    return text;
  };
  return { rig, config, a, b, nameA, nameB, connect, answers };
}

test('a drained target gets no new request, and its share again once it is enabled', async (t) => {
  const { rig, nameA, answers } = await group(t);
  assert.equal(await answers(4), 'abab');
  assert.equal(await rig.server.drainTarget(nameA, true), true);
  assert.equal(await rig.server.drainTarget(nameA, true), false);
  assert.equal(await answers(4), 'bbbb');
  const [report] = await rig.server.reports();
  assert.deepEqual(
    report!.targets.map(({ drained }) => drained),
    [true, false],
  );
  assert.equal(await rig.server.drainTarget(nameA, false), true);
  assert.equal((await answers(4)).split('').sort().join(''), 'aabb');
});

test('requests and tunnels that are under way on it go on', async (t) => {
  const { rig, a, nameA, connect, answers } = await group(t);
  const [slow, tunnel] = [await connect(), await connect()];
  await slow.send(request('/slow'));
  await a.request(0);
  assert.equal(await answers(1), 'b');
  await tunnel.send(request('/ws', UPGRADE));
  await tunnel.until('\r\n\r\n');
  await rig.server.drainTarget(nameA, true);
  assert.equal(await answers(2), 'bb');
  await a.peers[0]!.send(ok('late'));
  assert.equal((await slow.message()).body, 'late');
  await tunnel.send('ping');
  await a.peers[1]!.until('ping');
  await a.peers[1]!.send('pong');
  await tunnel.until('pong');
});

test('when all targets of a route are drained the answer is 503, and its record says why', async (t) => {
  const { rig, nameA, nameB, answers } = await group(t);
  await rig.server.drainTarget(nameA, true);
  await rig.server.drainTarget(nameB, true);
  assert.equal(await answers(2), ' 503 503');
  await rig.server.drainTarget(nameB, false);
  assert.equal(await answers(1), 'b');
  const traffic = trafficTogether((await rig.server.reports()).map((report) => report.traffic));
  const [{ code, message, count, target }] = traffic!.errors as [RecentError];
  assert.deepEqual(
    [code, message, count, target],
    ['targets_drained', 'cannot forward request: all its targets are drained', 2, null],
  );
});

test('a request whose target fails does not go on to one that is drained', async (t) => {
  const a = await startOrigin(t, script('a'));
  const nameA = `http://127.0.0.1:${a.port}`;
  const dead = await refusedPort(t);
  const rig = await startProxy({ sites: { 'app.localhost': { proxy: [`http://127.0.0.1:${dead}`, nameA] } } });
  t.after(() => rig.stop());
  await rig.server.drainTarget(nameA, true);
  const client = await connectSecure(rig.httpsPort);
  t.after(() => client.destroy());
  await client.send(request());
  assert.equal((await client.message()).status, 502);
  assert.equal(a.requests.length, 0);
});

test('it stays drained over reloads while it is configured, whatever else is, and no longer', async (t) => {
  const { rig, config, nameA, nameB, answers } = await group(t);
  await rig.server.drainTarget(nameA, true);
  const another = { sites: { ...config.sites, 'new.localhost': { proxy: [nameA] } } };
  assert.ok((await rig.reload(another)).accepted);
  await certificateReady(rig.httpsPort, 'new.localhost');
  assert.equal(await answers(3), 'bbb');
  assert.ok((await rig.reload({ sites: { 'app.localhost': nameB } })).accepted);
  assert.ok((await rig.reload(config)).accepted);
  assert.equal((await answers(4)).split('').sort().join(''), 'aabb');
});
