// A child on its leash (test/support/child.ts) that runs on certain cores and whose process id is known.
import { type Child, type ChildOptions, startChild } from '../support/child.ts';

export interface PinnedOptions extends ChildOptions {
  /** The only one it may run on, or the first of them. */
  readonly core: number;
  /** How many there are. Default 1. */
  readonly cores?: number;
}

export interface PinnedProcess extends Child {
  readonly pid: number;
}

/** Announces its own id, which `exec` keeps. */
const ANNOUNCE = 'echo "pid=$$"; core=$1; shift; exec taskset -c "$core" "$@"';

/** Rejects when the program cannot be started at all. */
export async function startPinned(options: PinnedOptions): Promise<PinnedProcess> {
  const announced = Promise.withResolvers<number>();
  const child = startChild({
    ...options,
    command: '/bin/sh',
    args: [
      '-c',
      ANNOUNCE,
      'pinned',
      `${options.core}-${options.core + (options.cores ?? 1) - 1}`,
      options.command,
      ...options.args,
    ],
    onLine: (line) => {
      const pid = /^pid=(\d+)$/.exec(line)?.[1];
      if (pid !== undefined) announced.resolve(Number(pid));
      options.onLine?.(line);
    },
  });
  void child.exited.then(() => announced.reject(new Error(`cannot start ${options.command}: ${child.output()}`)));
  announced.promise.catch(() => {});
  return { ...child, pid: await announced.promise };
}

export interface Finished {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end, but no longer than `limitMs`; then it is ended and this rejects. */
export async function runPinned(options: PinnedOptions, limitMs: number): Promise<Finished> {
  const child = await startPinned(options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void child.stop();
  }, limitMs);
  try {
    const code = await child.exited;
    if (late) throw new Error(`${options.command} did not end within ${limitMs} ms: ${child.output()}`);
    return { code, output: child.output() };
  } finally {
    clearTimeout(timer);
  }
}
