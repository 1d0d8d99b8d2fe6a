// What a process that serves a file does when it is told to load it again and again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingProcess } from '../../src/cli/serving-process.ts';
import { type LoadResult, loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { capturedLog } from '../support/captured-log.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('signals that come while one reload is under way lead to one more, which reads the file after the last of them', async (t) => {
  const folder = await temporaryFolder(t);
  const value = {
    storage: folder,
    admin: 'off',
    listen: { http: '127.0.0.1:0', https: '127.0.0.1:0' },
    sites: { 'app.localhost': { respond: { body: 'x' } } },
  };
  let loads = 0;
  const load = (): LoadResult => {
    loads++;
    return loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: Date.now() });
  };
  const first = load();
  assert.ok(first.ok);
  loads = 0;
  const { log, lines } = capturedLog();
  const serving = new ServingProcess(first.config, { file: 'x.yaml', load, watch: false }, { log, clock: systemClock });
  await serving.start();
  t.after(() => serving.close());
  serving.onHangUp();
  await retry(async () => assert.equal(loads, 1), { deadlineMs: 5_000 });
  for (let i = 0; i < 20; i++) serving.onHangUp();
  const inForce = () => lines.filter(({ msg }) => msg === 'configuration in force').length;
  await retry(async () => assert.equal(inForce(), 2), { deadlineMs: 5_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([loads, inForce()], [2, 2]);
});
