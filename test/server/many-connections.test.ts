// `npm run bench:scale` in small: it opens as many as the system allows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, startChain } from '../support/chain.ts';
import type { Peer } from '../support/peer.ts';

const COUNT = 1_000;
const AT_ONCE = 25;

test('a thousand open connections are each served, and served again when all are open', async (t) => {
  const chain = await startChain(t);
  const clients: Peer[] = [];
  const ask = async (client: Peer): Promise<void> => {
    await client.send(request());
    assert.equal((await client.message()).body, 'hello');
  };
  for (let at = 0; at < COUNT; at += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const client = await chain.connect();
        clients.push(client);
        await ask(client);
      }),
    );
  // The last first: whoever has waited longest is not forgotten.
  const waiting = clients.toReversed();
  for (let at = 0; at < COUNT; at += AT_ONCE) await Promise.all(waiting.slice(at, at + AT_ONCE).map(ask));
  assert.equal(chain.origin.requests.length, 2 * COUNT);
  assert.equal(clients.filter(({ ended }) => ended !== 'no').length, 0);
  assert.ok(chain.origin.peers.length <= 2 * AT_ONCE, `${chain.origin.peers.length} upstream connections`);
});
