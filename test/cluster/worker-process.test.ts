// What a worker makes of what its primary sends.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WorkerProcess } from '../../src/cluster/worker-process.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/log.ts';
import { rotatedTicketKeys } from '../../src/server/ticket-keys.ts';
import { connectPlain } from '../support/peer.ts';
import { PrimaryEnd } from '../support/primary-end.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TOKEN = 'a'.repeat(20);
const token = (answer: string | null) => ({ kind: 'token', host: 'app.localhost', token: TOKEN, answer });

interface Rig {
  readonly primary: PrimaryEnd;
  readonly worker: WorkerProcess;
  readonly logged: readonly string[];
  /** Asks it to start. */
  start(): ReturnType<PrimaryEnd['ask']>;
}

async function startRig(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<Rig> {
  const config = configOf(await temporaryFolder(t), more);
  const logged: string[] = [];
  const log = createLogger({ level: 'info', pretty: false, write: (line) => void logged.push(line) });
  const primary = new PrimaryEnd();
  const worker = new WorkerProcess(primary, { log, clock: systemClock });
  t.after(async () => {
    primary.disconnect();
    await worker.ended;
  });
  const start = { config, ticketKeys: rotatedTicketKeys(null), drained: new Set(), logLevel: 'info' };
  return { primary, worker, logged, start: () => primary.ask('start', start) };
}

function configOf(folder: string, more: Readonly<Record<string, unknown>>): Config {
  const value = {
    storage: 'storage',
    listen: { http: '127.0.0.1:0', https: '127.0.0.1:0' },
    sites: { 'app.localhost': { respond: { body: 'hello' } } },
    ...more,
  };
  const loaded = loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: systemClock.now() });
  assert.ok(loaded.ok);
  return loaded.config;
}

test('announcements count in their order, also those that lie in the channel together', async (t) => {
  const { primary, start } = await startRig(t);
  const other = { ...token('another'), token: 'b'.repeat(20) };
  const told = [primary.ask('announce', [other, token('not wanted any more')]), primary.ask('announce', [token(null)])];
  await Promise.all(told);
  await start();
  const client = await connectPlain(primary.ports[0]!);
  t.after(() => client.destroy());
  await client.send(`GET /.well-known/acme-challenge/${TOKEN} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`);
  assert.equal((await client.message()).status, 404);
});

test('a mistake of the operator stays one on its way to the primary', async (t) => {
  const { start } = await startRig(t, { log: { access: { output: '/dev/null/access.log' } } });
  const { failure } = await start();
  assert.deepEqual(failure && { ...failure, message: failure.message.slice(0, 46) }, {
    message: 'cannot open the access log /dev/null/access.lo',
    code: 'access_log_open',
    source: 'operator',
  });
});

test('a socket that never comes, since the worker may open no more, is told in time to refuse a reload', async (t) => {
  const { primary, start } = await startRig(t);
  primary.givesSockets = false;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const starting = start();
  t.mock.timers.tick(10_000);
  const { failure } = await starting;
  assert.match(
    failure?.message ?? '',
    /^cannot listen: no socket came from the primary process within 10 s; .*ulimit -n/,
  );
});

test('a worker whose primary is gone says so; one that is told to end does not', async (t) => {
  for (const isTold of [false, true]) {
    const { primary, worker, logged, start } = await startRig(t);
    await start();
    if (isTold) await primary.ask('close', null);
    primary.disconnect();
    await worker.ended;
    assert.equal(/the primary process is gone/.test(logged.join('')), !isTold);
  }
});
