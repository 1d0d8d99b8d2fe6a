// What several worker processes tell is one picture, and what an operator tells them holds for all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trafficTogether } from '../../src/observe/traffic/traffic-report.ts';
import { targetsTogether } from '../../src/server/worker-report.ts';
import { request } from '../support/chain.ts';
import { ok, startOrigin } from '../support/origin.ts';
import { connectSecure } from '../support/peer.ts';
import { processCrew } from '../support/process-crew.ts';
import { startProxy } from '../support/proxy-rig.ts';
import { retry } from '../support/retry.ts';

const PATIENCE = { deadlineMs: 15_000 };

test('traffic, errors and failing targets of two processes are one picture, and a drained target is drained in both', async (t) => {
  let isDead = true;
  const origin = await startOrigin(t, (_asked, peer) => (isDead ? peer.cut() : peer.send(ok())));
  const target = `http://127.0.0.1:${origin.port}`;
  const proxy = await startProxy({ sites: { 'app.localhost': target } }, processCrew({ workers: 2 }));
  t.after(() => proxy.stop());
  const ask = async (): Promise<number> => {
    const client = await connectSecure(proxy.httpsPort);
    t.after(() => client.destroy());
    await client.send(request('/', ['Connection: close'], 'POST'));
    return (await client.message()).status;
  };
  const shares = async (): Promise<number[]> =>
    (await proxy.server.reports()).map(({ traffic }) => traffic!.all.requests);

  let asked = 0;
  await retry(async () => {
    asked++;
    assert.equal(await ask(), 502);
    assert.ok(
      (await shares()).every((share) => share > 0),
      'both have answered',
    );
  }, PATIENCE);
  await retry(async () => {
    const reports = await proxy.server.reports();
    const { all, errors } = trafficTogether(reports.map(({ traffic }) => traffic))!;
    assert.deepEqual([all.requests, all.ownErrors, all.answers[5]], [asked, asked, asked]);
    assert.deepEqual(
      errors.map(({ site, code, count }) => [site, code, count]),
      [['app.localhost', 'upstream_closed', asked]],
    );
    const [{ failure }] = targetsTogether(reports) as [ReturnType<typeof targetsTogether>[number]];
    assert.equal(failure?.count, asked);
  }, PATIENCE);

  isDead = false;
  assert.equal(await ask(), 200);
  await retry(async () => {
    const reports = await proxy.server.reports();
    assert.equal(
      reports.filter(({ targets }) => targets[0]!.failure !== null).length,
      1,
      'the other has not asked since',
    );
    assert.equal(targetsTogether(reports)[0]!.failure, null);
  }, PATIENCE);

  await proxy.server.drainTarget(target, true);
  const before = await shares();
  await retry(async () => {
    assert.equal(await ask(), 503);
    assert.ok(
      (await shares()).every((share, i) => share > before[i]!),
      'both have refused',
    );
  }, PATIENCE);
});
