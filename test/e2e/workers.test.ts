// `perantara run` with several workers, as an operator has it: processes, signals, kills.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { request } from '../support/chain.ts';
import { connectSecure } from '../support/peer.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { WORKER_PROGRAM } from '../support/process-crew.ts';
import { certificateReady } from '../support/proxy-rig.ts';
import { retry } from '../support/retry.ts';

const WITHIN = { deadlineMs: 30_000 };
const SITES = { 'app.localhost': { respond: { body: 'hello' } } };

async function start(t: TestContext, config: Readonly<Record<string, unknown>> = {}): Promise<Perantara> {
  const proxy = await startPerantara({ config: { workers: 2, sites: SITES, ...config } });
  t.after(() => proxy.stop());
  await certificateReady(proxy.httpsPort, 'app.localhost');
  return proxy;
}

const readyPids = ({ log }: Perantara): readonly number[] =>
  log.filter(({ msg }) => msg === 'worker ready').map(({ pid }) => Number(pid));

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function answer(port: number): Promise<string> {
  const client = await connectSecure(port);
  await client.send(request());
  const { body } = await client.message();
  client.destroy();
  return body;
}

test('a primary that is killed takes its workers along, and its ports are free for the next', async (t) => {
  const proxy = await start(t);
  const workers = readyPids(proxy);
  assert.equal(workers.length, 2);
  const idle = await connectSecure(proxy.httpsPort);
  t.after(() => idle.destroy());
  proxy.signal('SIGKILL');
  await retry(async () => assert.ok(workers.every(isGone)), WITHIN);
  await idle.end();
  const https = `127.0.0.1:${proxy.httpsPort}`;
  const next = await start(t, { listen: { http: 'off', https } });
  assert.equal(await answer(next.httpsPort), 'hello');
});

test('signals to the whole group, as a terminal sends them, stop it in order', async (t) => {
  const proxy = await start(t);
  const workers = readyPids(proxy);
  for (const pid of workers) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1']) process.kill(pid, signal);
  assert.equal(await answer(proxy.httpsPort), 'hello');
  proxy.signal('SIGINT');
  assert.equal(await proxy.exited, 0);
  assert.ok(workers.every(isGone));
  assert.deepEqual(
    proxy.log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('another program on the port is told, whether that shares it or not', async (t) => {
  const proxy = await start(t);
  const https = `127.0.0.1:${proxy.httpsPort}`;
  for (const workers of [1, 2])
    await assert.rejects(
      startPerantara({ config: { workers, sites: SITES, listen: { http: 'off', https } } }),
      /cannot listen on "127.0.0.1:\d+": the port is in use by another program/,
    );
  assert.equal(await answer(proxy.httpsPort), 'hello');
});

test('workers that are killed one after the other, under load, cost nobody a request but those that they had', async (t) => {
  const proxy = await start(t);
  let isOver = false;
  let answered = 0;
  let cut = 0;
  const load = async (): Promise<void> => {
    while (!isOver) {
      try {
        assert.equal(await answer(proxy.httpsPort), 'hello');
        answered++;
      } catch (error) {
        assert.doesNotMatch(String(error), /ECONNREFUSED/);
        cut++;
      }
    }
  };
  const clients = Array.from({ length: 8 }, load);
  for (let round = 0; round < 3; round++) {
    const before = readyPids(proxy).length;
    const pid = readyPids(proxy).findLast((each) => !isGone(each))!;
    process.kill(pid, 'SIGKILL');
    await retry(async () => assert.ok(readyPids(proxy).length > before), WITHIN);
  }
  isOver = true;
  await Promise.all(clients);
  // Each kill can cut what its worker had: never more than there are clients.
  assert.ok(cut <= 3 * 8, `${cut}`);
  assert.ok(answered > 100, `${answered}`);
  t.diagnostic(`${answered} answered, ${cut} cut with the workers that were killed`);
});

test('a worker’s program that is started by hand says what it is', () => {
  const { status, stderr } = spawnSync(process.execPath, [WORKER_PROGRAM, '1', 'json'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /^This is a part of Perantara/);
});
