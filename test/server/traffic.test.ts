// What a server tells of its traffic: which site, whose error, how long, in whose words.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sum, type TrafficReport, trafficTogether } from '../../src/observe/traffic/traffic-report.ts';
import { inflightTogether, targetsTogether } from '../../src/server/worker-report.ts';
import { request } from '../support/chain.ts';
import { ok, type Script, startOrigin } from '../support/origin.ts';
import { connectSecure } from '../support/peer.ts';
import { certificateReady, type ProxyRig, startProxy } from '../support/proxy-rig.ts';
import { refusedPort } from '../support/refused-port.ts';
import { retry } from '../support/retry.ts';

const SCRIPT: Script = ({ startLine }, peer) => {
  const path = startLine.split(' ')[1]!;
  if (path === '/bad') return peer.send('HTTP/1.1 503 Oh No\r\nContent-Length: 0\r\n\r\n');
  if (path === '/half') return peer.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf').then(() => peer.cut());
  if (path === '/slow') return;
  return peer.send(ok());
};

async function rig(t: TestContext, admin: unknown = undefined) {
  const origin = await startOrigin(t, SCRIPT);
  const dead = await refusedPort(t);
  const sites = {
    'app.localhost': {
      routes: {
        '/*': `http://127.0.0.1:${origin.port}`,
        '/dead/*': `http://127.0.0.1:${dead}`,
        '/closed': { respond: { status: 503, body: 'closed for today' } },
      },
    },
  };
  const proxy = await startProxy({ sites, ...(admin === undefined ? {} : { admin }) });
  t.after(() => proxy.stop());
  const ask = async (...paths: string[]): Promise<void> => {
    for (const path of paths) {
      const client = await connectSecure(proxy.httpsPort);
      t.after(() => client.destroy());
      await client.send(request(path, ['Connection: close']));
      await client.end();
    }
  };
  return { proxy, origin, dead, ask };
}

/** By all workers together. */
async function told({ server }: ProxyRig) {
  const reports = await server.reports();
  return {
    targets: targetsTogether(reports),
    inflight: Object.fromEntries(inflightTogether(reports)),
    traffic: trafficTogether(reports.map(({ traffic }) => traffic)),
  };
}

const PATIENCE = { deadlineMs: 10_000 };

/** Exchanges are over a moment after their client has its answer. */
function counted(proxy: ProxyRig, requests: number): Promise<TrafficReport> {
  return retry(async () => {
    const { traffic } = await told(proxy);
    assert.equal(traffic?.all.requests, requests);
    return traffic;
  }, PATIENCE);
}

test('requests are counted by site, answers by class, and errors by whose they are', async (t) => {
  const { proxy, dead, origin, ask } = await rig(t);
  await ask('/', '/bad', '/dead/x', '/dead/y', '/half', '/closed', '/%00');
  const { all, sites, errors } = await counted(proxy, 7);
  assert.deepEqual(all.answers, [0, 0, 2, 0, 1, 4]);
  assert.deepEqual([all.ownErrors, all.targetErrors], [3, 1]);
  assert.deepEqual([sum(all.requestSteps), sum(all.errorSteps)], [7, 4]);
  assert.deepEqual(
    sites.map(({ site, requests, ownErrors, targetErrors }) => [site, requests, ownErrors, targetErrors]),
    [
      ['app.localhost', 6, 3, 1],
      [null, 1, 0, 0],
    ],
  );
  const site = 'app.localhost';
  const target = `http://127.0.0.1:${origin.port}`;
  const gone = { site, route: '/dead/*', target: `http://127.0.0.1:${dead}`, code: 'connect_failed', count: 2 };
  const expected = [
    { site, route: '/*', target, code: 'upstream_closed', count: 1 },
    gone,
    { site, route: '/*', target, code: 'status_503', count: 1 },
  ];
  assert.deepEqual(
    errors.map(({ firstAt, lastAt, message, ...rest }) => rest),
    expected,
  );
  assert.match(errors[1]!.message, /ECONNREFUSED/);
  assert.equal(errors[2]!.message, 'answered 503 Service Unavailable');
  assert.deepEqual(structuredClone(all), all);
});

test('latencies are those of the targets that answered', async (t) => {
  const { proxy, origin, ask } = await rig(t);
  await ask('/', '/bad', '/dead/x', '/closed');
  const { targets } = await counted(proxy, 4);
  assert.deepEqual(
    targets.map(({ target, latencies }) => [target, sum(latencies.filter((_, i) => i % 2 === 1))]),
    [[`http://127.0.0.1:${origin.port}`, 2]],
  );
});

test('a target that does not answer is failing until it answers again, and says why', async (t) => {
  let isDead = true;
  const origin = await startOrigin(t, (_asked, peer) => (isDead ? peer.cut() : peer.send(ok())));
  const proxy = await startProxy({ sites: { 'app.localhost': `http://127.0.0.1:${origin.port}` } });
  t.after(() => proxy.stop());
  const ask = async (): Promise<void> => {
    const client = await connectSecure(proxy.httpsPort);
    t.after(() => client.destroy());
    await client.send(request('/', ['Connection: close'], 'POST'));
    await client.end();
  };
  assert.equal((await told(proxy)).targets[0]!.failure, null);
  await ask();
  await ask();
  const { failure } = (await told(proxy)).targets[0]!;
  assert.equal(failure?.code, 'upstream_closed');
  assert.equal(failure.count, 2);
  assert.ok(failure.sinceAt <= failure.lastAt && Math.abs(failure.lastAt - Date.now()) < 60_000);
  isDead = false;
  await ask();
  assert.equal((await told(proxy)).targets[0]!.failure, null);
});

test('requests under way are told by site', async (t) => {
  const { proxy, origin } = await rig(t);
  const client = await connectSecure(proxy.httpsPort);
  t.after(() => client.destroy());
  await client.send(request('/slow'));
  await origin.request(0);
  assert.deepEqual((await told(proxy)).inflight, { 'app.localhost': 1 });
  client.reset();
  await retry(async () => assert.deepEqual((await told(proxy)).inflight, {}), PATIENCE);
});

test('nothing is counted while no admin endpoint can be asked, and sites that are gone are forgotten', async (t) => {
  const { proxy, origin, ask } = await rig(t, 'off');
  await ask('/');
  assert.equal((await told(proxy)).traffic, null);
  const sites = { 'app.localhost': `http://127.0.0.1:${origin.port}` };
  assert.ok((await proxy.reload({ sites })).accepted);
  await ask('/');
  assert.equal((await counted(proxy, 1)).sites[0]!.site, 'app.localhost');
  assert.ok((await proxy.reload({ sites: { 'other.localhost': 'http://127.0.0.1:1' } })).accepted);
  await certificateReady(proxy.httpsPort, 'other.localhost');
  const { traffic } = await told(proxy);
  assert.deepEqual([traffic!.all.requests, traffic!.sites, traffic!.targets], [1, [], []]);
});
