// The program of a worker process, started by a primary and by nobody else: `worker-main.ts NUMBER json|pretty`.
import { WorkerProcess } from '../cluster/worker-process.ts';
import { systemClock } from '../core/clock.ts';
import { createLogger } from '../core/log.ts';

const [number, format] = process.argv.slice(2);
process.title = `perantara: worker ${number}`;

if (process.send === undefined) {
  process.stderr.write('This is a part of Perantara that "perantara run" starts by itself: it does nothing alone.\n');
  process.exit(1);
}
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}); // nobody reads any more
// A terminal and service managers signal the whole group; the primary decides what is to be done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => {});

const log = createLogger({ level: 'info', pretty: format === 'pretty' }).child({ worker: Number(number) });
const worker = new WorkerProcess(process, { log, clock: systemClock });
const onFault = (error: unknown): void => {
  // The state is unknown now: what is under way is finished, and another process takes over.
  log.error({ err: error instanceof Error ? error : new Error(String(error)) }, 'unexpected error: stopping');
  worker.fail();
};
process.on('uncaughtException', onFault).on('unhandledRejection', onFault);
void worker.ended.then(() => process.exit(0));
