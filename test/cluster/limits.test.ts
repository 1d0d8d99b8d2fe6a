// Limits on connections hold for all workers together, whichever of them a client comes to.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type CrewChain, startCrewChain } from '../support/crew-rig.ts';
import { connectSecure, type Peer } from '../support/peer.ts';
import { retry } from '../support/retry.ts';

const WITHIN = { deadlineMs: 30_000 };

/** As many as are let in, of `tries`. */
async function letIn({ httpsPort }: CrewChain, tries: number): Promise<readonly Peer[]> {
  const results = await Promise.allSettled(Array.from({ length: tries }, () => connectSecure(httpsPort)));
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** Once those that have left are forgotten. */
async function open(crew: CrewChain, count: number): Promise<void> {
  await retry(async () => {
    const counts = (await crew.reports()).map(({ connections }) => connections);
    assert.equal(
      counts.reduce((sum, each) => sum + each, 0),
      count,
    );
  }, WITHIN);
}

for (const limits of [{ connections: 10 }, { connectionsPerAddress: 10 }])
  suite(JSON.stringify(limits), () => {
    test('are let in, no more, and each that leaves makes room for one, of whichever worker', async (t) => {
      const crew = await startCrewChain(t, { config: { limits } });
      await open(crew, 0);
      const peers = await letIn(crew, 30);
      assert.equal(peers.length, 10);
      await open(crew, 10);
      for (const peer of peers.slice(0, 4)) peer.destroy();
      await open(crew, 6);
      const more = await letIn(crew, 20);
      assert.equal(more.length, 4);
      for (const peer of [...peers, ...more]) peer.destroy();
    });

    test('make room when their worker is killed', async (t) => {
      const crew = await startCrewChain(t, { config: { limits } });
      await open(crew, 0);
      const peers = await letIn(crew, 20);
      const { pid: doomed, connections } = (await crew.reports())[0]!;
      process.kill(doomed, 'SIGKILL');
      await crew.replaced(doomed);
      await open(crew, 10 - connections);
      const more = await letIn(crew, 20);
      assert.equal(more.length, connections);
      for (const peer of [...peers, ...more]) peer.destroy();
    });

    test('count those that came before there was such a limit', async (t) => {
      const crew = await startCrewChain(t);
      await open(crew, 0);
      const early = await letIn(crew, 7);
      assert.equal(early.length, 7);
      const sites = { 'app.localhost': { respond: { body: 'x' } } };
      assert.equal((await crew.reload({ sites, limits })).accepted, true);
      const peers = await letIn(crew, 20);
      assert.equal(peers.length, 3);
      early[0]!.destroy();
      await open(crew, 9);
      const next = await letIn(crew, 5);
      assert.equal(next.length, 1);
      assert.equal((await crew.reload({ sites })).accepted, true);
      const free = await letIn(crew, 20);
      assert.equal(free.length, 20);
      for (const peer of [...early, ...peers, ...next, ...free]) peer.destroy();
    });
  });
