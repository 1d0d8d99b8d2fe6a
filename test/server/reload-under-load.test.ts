// Reload after reload while clients keep asking: nothing is lost, and nothing is left behind.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Agent, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ask, openSession } from '../support/node-h2-client.ts';
import { processCrew } from '../support/process-crew.ts';
import { startProxy } from '../support/proxy-rig.ts';

/** `RELOADS=1000`: as many as somebody has patience for. */
const RELOADS = Number(process.env.RELOADS ?? 200);
/** What the heap may grow by; one configuration with its sites takes more than a hundredth of it. */
const GROWTH_BYTES = 6 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function originSaying(t: TestContext, body: string): Promise<string> {
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
  t.after(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const { workers, reloads } of [
  { workers: 1, reloads: RELOADS },
  { workers: 2, reloads: Math.ceil(RELOADS / 4) },
])
  test(`${reloads} reloads under load lose no request and no memory, with ${workers === 1 ? 'one worker' : 'two'}`, {
    timeout: 120_000,
  }, async (t) => {
    const [first, other] = [await originSaying(t, 'first'), await originSaying(t, 'second')];
    /** Every other target is new, every other site comes and goes, and one stays as it is. */
    const config = (turn: number) => ({
      sites: {
        'app.localhost': turn % 2 === 0 ? first : other,
        'stays.localhost': first,
        [`site${turn % 10}.localhost`]: `http://127.0.0.1:${10_000 + turn}`,
      },
    });
    const chain = await startProxy(config(0), workers === 1 ? null : processCrew({ workers }));
    t.after(() => chain.stop());
    const session = await openSession(
      t,
      { port: chain.httpsPort, name: 'app.localhost', ca: '' },
      { rejectUnauthorized: false },
    );
    let isOver = false;
    const answers = { first: 0, second: 0 };
    const count = (body: string): void => void answers[body as 'first' | 'second']++;
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    t.after(() => agent.destroy());
    const place = { host: '127.0.0.1', port: chain.httpsPort, servername: 'app.localhost', rejectUnauthorized: false };
    const headers = { host: 'app.localhost' };
    const overHttp1 = async (): Promise<void> => {
      while (!isOver) {
        const [response] = await once(get({ ...place, headers, agent }), 'response');
        count(await text(response));
      }
    };
    const overHttp2 = async (): Promise<void> => {
      while (!isOver) count(String((await ask(session, { ':path': '/' })).body));
    };
    const load = Promise.all([overHttp1(), overHttp1(), overHttp2(), overHttp2(), overHttp2()]);
    let early = 0;
    for (let turn = 1; turn <= reloads; turn++) {
      const result = await chain.reload(config(turn));
      assert.ok(result.accepted);
      if (turn === reloads / 5) {
        collect();
        early = process.memoryUsage().heapUsed;
      }
    }
    collect();
    const grown = process.memoryUsage().heapUsed - early;
    isOver = true;
    await load;
    assert.deepEqual(Object.keys(answers), ['first', 'second']);
    assert.ok(answers.first > reloads / 10 && answers.second > reloads / 10, JSON.stringify(answers));
    t.diagnostic(`${answers.first + answers.second} requests; the heap grew by ${Math.round(grown / 1024)} KiB`);
    assert.ok(grown < GROWTH_BYTES, `the heap grew by ${grown} bytes in ${reloads * 0.8} reloads`);
  });
