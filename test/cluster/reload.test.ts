// Another configuration for workers in processes of their own: in force in all of them or in none.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { request } from '../support/chain.ts';
import { startCrewChain } from '../support/crew-rig.ts';
import { freePort } from '../support/free-port.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';

const says = (body: string, more: Readonly<Record<string, unknown>> = {}) => ({
  sites: { 'app.localhost': { respond: { body } } },
  ...more,
});

async function answer(client: Peer): Promise<string> {
  await client.send(request());
  return (await client.message()).body;
}

suite('a reload', () => {
  test('is followed by every worker on the connections that are there, and by those that come later', async (t) => {
    const crew = await startCrewChain(t);
    const [first, second] = await crew.landOnTwo();
    assert.equal(await answer(first.client), 'hello');
    assert.equal((await crew.reload(says('new'))).accepted, true);
    assert.equal(await answer(first.client), 'new');
    assert.equal(await answer(second.client), 'new');
    process.kill(second.pid, 'SIGKILL');
    await crew.replaced(second.pid);
    for (const { client } of await crew.landOnTwo()) assert.equal(await answer(client), 'new');
  });

  test('opens and closes listeners in every worker', async (t) => {
    const crew = await startCrewChain(t);
    const port = await freePort();
    const listen = { http: '127.0.0.1:0', https: ['127.0.0.1:0', `127.0.0.1:${port}`] };
    const opened = await crew.reload(says('new', { listen }));
    assert.ok(opened.accepted);
    assert.deepEqual(opened.changes.listenersOpened, [`https 127.0.0.1:${port}`]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectSecure(port)));
    for (const client of clients) assert.equal(await answer(client), 'new');
    assert.equal((await crew.reload(says('newer'))).accepted, true);
    await assert.rejects(connectPlain(port), { code: 'ECONNREFUSED' });
    for (const client of clients) assert.equal(await client.end(), client.text, 'idle connections are closed');
  });

  test('that one worker cannot follow is refused by all', async (t) => {
    const crew = await startCrewChain(t);
    const [first, second] = await crew.landOnTwo();
    const log = { access: { output: '/dev/null/access.log' } };
    const refused = await crew.reload(says('new', { log }));
    assert.ok(!refused.accepted);
    assert.match(refused.message, /access\.log/);
    assert.equal(await answer(first.client), 'hello');
    assert.equal(await answer(second.client), 'hello');
  });

  test('during which a worker ends is refused, the service goes on, and the next one is followed', async (t) => {
    const crew = await startCrewChain(t);
    const [first, second] = await crew.landOnTwo();
    process.kill(second.pid, 'SIGSTOP');
    const reloading = crew.reload(says('new'));
    await crew.reports(); // the other has been asked to get ready by now
    process.kill(second.pid, 'SIGKILL');
    const refused = await reloading;
    assert.ok(!refused.accepted);
    assert.match(refused.message, /worker \d ended while it was to get ready for the new configuration: SIGKILL/);
    assert.equal(await answer(first.client), 'hello');
    await crew.replaced(second.pid);
    assert.equal((await crew.reload(says('new'))).accepted, true);
    assert.equal(await answer(first.client), 'new');
  });
});
