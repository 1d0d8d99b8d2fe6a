// Perantara started on a fleet's config file, with what the start took.
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type PinnedProcess, startPinned } from '../pinned-process.ts';
import { type Usage, usageOf } from '../process-tree.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/main.ts');
const START_LIMIT_MS = 60_000;
const SETTLE_LIMIT_MS = 120_000;
const SETTLE_STEP_MS = 500;
/** Sweeps and collections go on in a process that has nothing to do. */
const QUIET_MS_PER_STEP = 20;

export interface Started {
  readonly process: PinnedProcess;
  readonly pid: number;
  /** From the command to the log line that says it listens. */
  readonly listeningMs: number;
  /** At that moment. */
  readonly listening: Usage;
}

/** On `cores` cores from `core` on. */
export async function startOn(configFile: string, core: number, cores = 1): Promise<Started> {
  const begin = performance.now();
  const ready = Promise.withResolvers<void>();
  const process = await startPinned({
    command: globalThis.process.execPath,
    args: [MAIN, 'run', '--config', configFile],
    core,
    cores,
    onLine: (line) => {
      if (line.includes('"protocol":"https"')) ready.resolve();
    },
  });
  const timer = setTimeout(() => ready.reject(new Error('it does not listen')), START_LIMIT_MS);
  void process.exited.then(() => ready.reject(new Error('it ended')));
  try {
    await ready.promise;
  } catch (error) {
    await process.stop();
    throw new Error(`cannot start on ${configFile}: ${(error as Error).message}: ${process.output()}`);
  } finally {
    clearTimeout(timer);
  }
  return { process, pid: process.pid, listeningMs: performance.now() - begin, listening: usageOf(process.pid) };
}

/** Resolves when the background work of a start (every stored certificate is looked at under its lock) is done. */
export async function settled(pid: number): Promise<Usage> {
  const end = performance.now() + SETTLE_LIMIT_MS;
  let usage = usageOf(pid);
  for (let quiet = 0; quiet < 3; ) {
    if (performance.now() > end) throw new Error(`process ${pid} does not come to rest`);
    await delay(SETTLE_STEP_MS);
    const next = usageOf(pid);
    quiet = next.cpuMs - usage.cpuMs <= QUIET_MS_PER_STEP ? quiet + 1 : 0;
    usage = next;
  }
  return usage;
}
