// Thousands of slow connections of all kinds hinder nobody, and go at their deadlines. Perantara runs as a process of its own.
// SLOW_CONNECTIONS=10000 sets how many; by default there are fewer, so that the machine has room for other tests.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { gatherSlowCrowd, normalRequests, startCrowdOrigin } from './slow-crowd.ts';

const NAME = 'app.localhost';
const WANTED = Number(process.env.SLOW_CONNECTIONS ?? 2_000);
const NORMAL_REQUESTS = 200;
const OPTIONS = existsSync('/proc/self/fd')
  ? {}
  : { skip: 'there is no /proc on this machine to count the sockets of a process in' };

/** As many as the descriptors of this process and the proxy's allow: each may need a socket at both sides of both. */
function affordable(t: TestContext, wanted: number): number {
  const { userLimits } = process.report.getReport() as { userLimits: { open_files: { soft: number | string } } };
  const limit = Number(userLimits.open_files.soft);
  const most = Number.isNaN(limit) ? wanted : Math.floor((limit - 200) / 1.5);
  if (most < wanted) t.diagnostic(`${most} in place of ${wanted} connections: a process may open ${limit} files`);
  return Math.min(most, wanted);
}

async function serve(t: TestContext, timeouts: Readonly<Record<string, string>>) {
  const origin = await startCrowdOrigin();
  t.after(() => origin.stop());
  const sites = { [NAME]: `http://127.0.0.1:${origin.port}` };
  const proxy = await startPerantara({ config: { sites, timeouts: { upstreamIdle: '1s', ...timeouts } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const atRest = sockets(proxy);
  await normalRequests(proxy.httpsPort, NORMAL_REQUESTS); // so that its code is compiled
  return { proxy, atRest };
}

function sockets({ pid }: Perantara): number {
  const targets = readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}

/** Resolves when it has no more sockets than these. */
async function socketsBackTo(proxy: Perantara, before: number): Promise<void> {
  await retry(async () => assert.equal(sockets(proxy), before), { deadlineMs: 60_000, pauseMs: 100 });
}

function told(taken: readonly number[]): string {
  const sorted = [...taken].sort((a, b) => a - b);
  const at = (ratio: number): string => sorted[Math.floor((sorted.length - 1) * ratio)]!.toFixed(1);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`;
}

test(
  'slow connections by the thousand do not hinder a normal client, and leave no socket when they go',
  OPTIONS,
  async (t) => {
    const { proxy, atRest } = await serve(t, { handshake: '10m', head: '10m', bodyIdle: '10m', keepAlive: '10m' });
    t.diagnostic(`alone: ${told(await normalRequests(proxy.httpsPort, NORMAL_REQUESTS))}`);
    const crowd = await gatherSlowCrowd(proxy.httpsPort, affordable(t, WANTED));
    t.after(() => crowd.leave());
    const taken = await normalRequests(proxy.httpsPort, NORMAL_REQUESTS);
    t.diagnostic(`beside ${crowd.peers.length} slow ones: ${told(taken)}; the proxy has ${sockets(proxy)} sockets`);
    assert.equal(crowd.open(), crowd.peers.length, 'all of them were there all the time');
    assert.ok(sockets(proxy) >= crowd.peers.length);
    crowd.leave();
    await socketsBackTo(proxy, atRest);
    await normalRequests(proxy.httpsPort, 10);
  },
);

test(
  'slow connections by the thousand are gone after their deadlines, and none of their sockets remains',
  OPTIONS,
  async (t) => {
    const { proxy, atRest } = await serve(t, { handshake: '4s', head: '1s', bodyIdle: '1s', keepAlive: '1s' });
    const crowd = await gatherSlowCrowd(proxy.httpsPort, affordable(t, WANTED));
    t.after(() => crowd.leave());
    t.diagnostic(`${crowd.peers.length} came`);
    await socketsBackTo(proxy, atRest); // though they have not left by themselves
    for (const peer of crowd.peers) peer.socket.resume();
    await retry(async () => assert.equal(crowd.open(), 0), { deadlineMs: 30_000 });
    t.diagnostic(`beside their remains: ${told(await normalRequests(proxy.httpsPort, NORMAL_REQUESTS))}`);
  },
);
