// A process that may open no more files: it goes on serving whom it has, tells others so or lets them go, and recovers.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { request } from '../support/chain.ts';
import { startOrigin } from '../support/origin.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';
import { startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';

const NAME = 'app.localhost';
/** What Node itself needs, and some. */
const OPEN_FILES = 80;
const PATIENCE = { deadlineMs: 20_000 };
const OPTIONS = existsSync('/proc/self/fd')
  ? {}
  : { skip: 'there is no /proc on this machine to count the open files of a process in' };

test(
  'out of file descriptors, open connections are served, and new ones are again once there is room',
  OPTIONS,
  async (t) => {
    const origin = await startOrigin(t);
    const sites = { [NAME]: `http://127.0.0.1:${origin.port}` };
    const proxy = await startPerantara({ config: { sites }, openFiles: OPEN_FILES });
    t.after(() => proxy.stop());
    await proxy.obtained(NAME);
    const openFiles = (): number => readdirSync(`/proc/${proxy.pid}/fd`).length;
    const ask = async (client: Peer): Promise<number> => {
      await client.send(request());
      return (await client.message()).status;
    };
    const [first, second] = [await connectSecure(proxy.httpsPort), await connectSecure(proxy.httpsPort)];
    for (const client of [first, second]) t.after(() => client.destroy());
    assert.equal(await ask(first), 200);

    const silent = await Promise.all(Array.from({ length: 3 * OPEN_FILES }, () => connectPlain(proxy.httpPort)));
    t.after(() => {
      for (const peer of silent) peer.destroy();
    });
    await retry(async () => assert.ok(openFiles() >= OPEN_FILES - 2, `${openFiles()} files`), PATIENCE);
    assert.equal(await ask(first), 200, 'over the upstream connection that is there');
    assert.equal(await ask(second), 200);
    origin.peers[0]!.finish();
    await origin.peers[0]!.end();
    // Its descriptor is free now, and taken by whoever comes first: a waiting client or the upstream.
    for (const client of [first, second]) assert.match(String(await ask(client)), /^(200|502)$/);
    assert.equal(proxy.ended(), false);

    const cut = silent.filter(({ ended }) => ended !== 'no').length;
    t.diagnostic(`${silent.length} came for ${OPEN_FILES} descriptors, ${cut} were let go`);
    for (const peer of silent) peer.destroy();
    await retry(async () => {
      const client = await connectSecure(proxy.httpsPort);
      t.after(() => client.destroy());
      assert.equal(await ask(client), 200);
    }, PATIENCE);
    assert.equal(await ask(first), 200);
  },
);
