// The start of a crew of processes, when something comes in between.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProcessCrew } from '../../src/cluster/process-crew.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/log.ts';
import type { CrewServices } from '../../src/server/crew.ts';
import { InheritedSockets } from '../../src/server/inherited-sockets.ts';
import { rotatedTicketKeys } from '../../src/server/ticket-keys.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const WITHIN = { deadlineMs: 30_000 };

interface IdleCrew {
  readonly crew: ProcessCrew;
  /** Removed, it lets the second worker begin. */
  readonly hold: string;
  /** Process ids, in the order in which they were ready. */
  ready(): readonly number[];
  /** How workers ended. */
  ends(): readonly string[];
}

async function idleCrew(t: TestContext): Promise<IdleCrew> {
  const folder = await temporaryFolder(t);
  const hold = join(folder, 'hold');
  await writeFile(hold, '');
  process.env.HOLD_SECOND = hold;
  const value = {
    storage: 'storage',
    listen: { http: 'off', https: '127.0.0.1:0' },
    sites: { 'app.localhost': { respond: {} } },
  };
  const loaded = loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: systemClock.now() });
  assert.ok(loaded.ok);
  const logged: string[] = [];
  const services = {
    log: createLogger({ level: 'info', pretty: false, write: (line) => void logged.push(line) }),
    clock: systemClock,
    certificates: { announcements: () => [] },
    ticketKeys: rotatedTicketKeys(null),
    onListening: async () => {},
    inherited: new InheritedSockets(),
  } as unknown as CrewServices;
  const path = join(import.meta.dirname, '../support/idle-worker.ts');
  const crew = new ProcessCrew(loaded.config, services, {
    workers: 2,
    program: { path, arguments: [] },
    patience: { firstDelayMs: 100 },
  });
  t.after(() => crew.destroy());
  const lines = () => logged.map((line) => JSON.parse(line));
  return {
    crew,
    hold,
    ready: () => lines().flatMap(({ msg, pid }) => (msg === 'worker ready' ? [Number(pid)] : [])),
    ends: () => lines().flatMap(({ how }) => (how === undefined ? [] : [String(how)])),
  };
}

test('a worker that ends after it was ready, while another still starts, is replaced', async (t) => {
  const { crew, hold, ready } = await idleCrew(t);
  const starting = crew.start();
  await retry(async () => assert.equal(ready().length, 1), WITHIN);
  process.kill(ready()[0]!, 'SIGKILL');
  await retry(async () => assert.equal(ready().length, 2), WITHIN);
  await rm(hold);
  await starting;
  assert.equal(new Set(ready()).size, 3);
});

test('a worker that the system has no room for comes later', async (t) => {
  const { crew, hold, ready, ends } = await idleCrew(t);
  await rm(hold);
  await crew.start();
  process.env.TOO_LONG = 'x'.repeat(1024 * 1024); // more than a program can be started with
  process.kill(ready()[0]!, 'SIGKILL');
  await retry(async () => assert.ok(ends().some((how) => how.includes('E2BIG'))), WITHIN);
  delete process.env.TOO_LONG;
  await retry(async () => assert.equal(ready().length, 3), WITHIN);
});
