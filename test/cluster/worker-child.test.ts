// One worker process as its primary has it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WorkerChild } from '../../src/cluster/worker-child.ts';

test('a worker is not taken for hung that stood still together with its primary, as all do while a machine is paused', async (t) => {
  const child = new WorkerChild({
    program: join(import.meta.dirname, '../support/idle-worker.ts'),
    programArguments: ['1'],
    name: 'worker 1',
    answers: () => ({}) as never,
    hungMs: 1_200,
  });
  t.after(() => child.kill());
  await child.channel.call('settle', null);
  process.kill(child.pid, 'SIGSTOP');
  child.beat();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_300); // so does this process
  child.beat();
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  process.kill(child.pid, 'SIGCONT');
  assert.equal(await child.channel.call('settle', null), null);
});
