// Runs a program of the operator's to its end: no shell takes part, what it says about itself is bounded, and it ends with
// the signal together with everything it has started.
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramOptions {
  /** Default: ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** For its stdin. Default none. */
  readonly input?: string;
  /** From SIGTERM to SIGKILL when the signal aborts; 0 for SIGKILL at once. */
  readonly graceMs: number;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly killedBy: string | null;
  /** The last that it wrote to stderr. */
  readonly stderr: string;
}

const KEPT_CHARS = 4_096;
/** From its end to the end of what it said. */
const DRAIN_MS = 500;

/** Resolves when the program has ended, by itself or by the signal. Rejects with the system's error when it cannot be started. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env, input, graceMs }: ProgramOptions,
  signal: AbortSignal,
): Promise<ProgramEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramEnd>();
  // A group of its own, so that what it starts can be ended too.
  const child = spawn(program, args, {
    ...(env === undefined ? {} : { env }),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_CHARS);
  });
  let killing: NodeJS.Timeout | undefined;
  let draining: NodeJS.Timeout | undefined;
  child.on('error', reject).on('exit', (code, killedBy) => {
    // What it said may still be in the pipe; a program that it left running may hold that for ever.
    draining = setTimeout(() => resolve({ code, killedBy, stderr }), DRAIN_MS);
    child.on('close', () => resolve({ code, killedBy, stderr }));
  });
  child.stdin?.on('error', () => {}); // a program need not read it
  child.stdin?.end(input);
  const onAbort = (): void => {
    kill(child, graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
    if (graceMs > 0) killing = setTimeout(() => kill(child, 'SIGKILL'), graceMs);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(killing);
    clearTimeout(draining);
    child.stderr!.destroy();
  }
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}
