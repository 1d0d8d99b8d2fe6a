// A foreign program as a child on a leash: it ends when it is told to, and also when this process exits, crashes or is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';

const KEPT_LINES = 500;

/**
 * Holds the program until its own standard input ends, which happens however the parent goes; then terminates it and removes
 * the folder $1. File descriptor 9 is that input, since those from 3 may be the program's; the program itself reads nothing.
 */
const LEASH = `
folder=$1; shift
exec 9<&0
"$@" </dev/null 9<&- &
child=$!
exec >/dev/null 2>&1
{ read -r _ <&9; kill -TERM $child; } &
watcher=$!
exec 9<&-
wait $child; status=$?
kill $watcher
[ -z "$folder" ] || rm -rf "$folder"
exit $status
`;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment. Default none. */
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors of this process that the program has from 3 on, six at most. Default none. */
  readonly descriptors?: readonly number[];
  /** Removed when the program has ended. Default none. */
  readonly folder?: string;
  /** Called with each line of standard output and standard error. Default none. */
  readonly onLine?: (line: string) => void;
  /** How long the program has to end by itself when stopped, then it is killed. Default 5 s. */
  readonly stopWithinMs?: number;
}

export interface Child {
  /** The last lines of standard output and standard error. */
  output(): string;
  /** Whether the program has ended. */
  ended(): boolean;
  /** Resolves with the exit code when the program has ended; 128 + n for a signal. */
  readonly exited: Promise<number>;
  /** SIGTERM, then SIGKILL. Resolves with the exit code when nothing of it is left. Idempotent. */
  stop(): Promise<number>;
}

/** Throws when there is no `sh`; a program that cannot be started ends with exit code 126 or 127. */
export function startChild(options: ChildOptions): Child {
  const leash = spawn('/bin/sh', ['-c', LEASH, 'leash', options.folder ?? '', options.command, ...options.args], {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])],
    // A process group of its own: Ctrl-C in a terminal reaches us alone and we decide the order in which things end.
    detached: true,
  });
  const [stdin, stdout, stderr] = [leash.stdin!, leash.stdout!, leash.stderr!];
  stdin.on('error', () => {});
  const lines: string[] = [];
  for (const stream of [stdout, stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (lines.push(line) > KEPT_LINES) lines.shift();
      options.onLine?.(line);
    });
  }
  const exited = once(leash, 'close').then(([code, signal]) => (signal === null ? (code as number) : 128));
  return {
    output: () => lines.join('\n'),
    ended: () => leash.exitCode !== null || leash.signalCode !== null,
    exited,
    stop: async () => {
      stdin.end();
      const timer = setTimeout(() => killGroup(leash), options.stopWithinMs ?? 5_000);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
        if (options.folder !== undefined) await rm(options.folder, { recursive: true, force: true });
      }
    },
  };
}

function killGroup(leash: ChildProcess): void {
  try {
    process.kill(-leash.pid!, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
