import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleFlight } from '../../src/certs/single-flight.ts';

const never = new AbortController().signal;

test('all who ask at the same time share one piece of work; who asks later starts another', async () => {
  const flight = new SingleFlight<number>();
  let runs = 0;
  const work = async (): Promise<number> => ++runs;
  assert.deepEqual(await Promise.all([flight.run(work, never), flight.run(work, never)]), [1, 1]);
  assert.equal(await flight.run(work, never), 2);
});

test('a failure reaches all, and is not kept for those who come later', async () => {
  const flight = new SingleFlight<number>();
  const failing = () => Promise.reject(new Error('no'));
  const results = await Promise.allSettled([flight.run(failing, never), flight.run(failing, never)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await flight.run(async () => 1, never), 1);
});

test('who leaves leaves alone, and work that nobody waits for any more fails without noise', async () => {
  const flight = new SingleFlight<number>();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const abort = new AbortController();
  const leaving = flight.run(() => promise, abort.signal);
  const staying = flight.run(() => promise, never);
  abort.abort(new Error('leaving'));
  await assert.rejects(leaving, /leaving/);
  resolve(7);
  assert.equal(await staying, 7);

  const lonely = new AbortController();
  const failing = Promise.withResolvers<number>();
  const left = flight.run(() => failing.promise, lonely.signal);
  lonely.abort(new Error('leaving too'));
  await assert.rejects(left, /leaving too/);
  failing.reject(new Error('nobody listens'));
  await flight.idle();
  reject(new Error('settled long ago'));
});

test('a signal that is aborted already starts nothing', async () => {
  const flight = new SingleFlight<number>();
  await assert.rejects(
    flight.run(() => assert.fail('started'), AbortSignal.abort(new Error('too late'))),
    /too late/,
  );
});
