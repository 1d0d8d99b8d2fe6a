// A port where connects neither succeed nor fail: a listener whose queue is full because its thread sleeps for ever.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

const SLEEPER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
`;
/** More than the system lets into a queue of one; those that do not fit wait too. */
const FILLERS = 8;

/** Resolves with its port. Linux drops what does not fit into the queue, other systems refuse it. */
export async function startSilentListener(t: Pick<TestContext, 'after'>): Promise<number> {
  const worker = new Worker(SLEEPER, { eval: true });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  t.after(() => {
    for (const filler of fillers) filler.destroy();
  });
  for (let i = 0; i < FILLERS; i++) fillers.push(connect(port, '127.0.0.1').on('error', () => {}));
  await once(fillers[0]!, 'connect');
  return port;
}
