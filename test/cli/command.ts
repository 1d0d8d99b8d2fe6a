// Runs the real command line in a child.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { runCommand } from '../../src/cli/cli.ts';

export const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `perantara ...args` to its end. */
export function perantara(args: readonly string[], cwd = process.cwd()): Outcome {
  const result = spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: 'utf8', timeout: 30_000 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** The same in this process, which is twenty times as quick: everything but how the process ends. */
export async function runHere(args: readonly string[], folder = process.cwd()): Promise<Outcome> {
  let [out, err] = ['', ''];
  const before = process.cwd();
  process.chdir(folder);
  const code = await runCommand(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    ask: async () => null,
    env: process.env,
    interactive: false,
    columns: 80,
    screen: null,
    folder,
    now: () => Date.now(),
    exit: () => {},
  }).finally(() => process.chdir(before));
  return { code, out, err };
}

export interface Running {
  readonly child: ChildProcess;
  /** Everything written so far, standard output and standard error together. */
  text(): string;
  /** Resolves once `pattern` appears; rejects when the child ends first. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts Node with `args` and follows what it writes. */
export function startNode(args: readonly string[], cwd = process.cwd()): Running {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const watcher of watchers) watcher();
    });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const until = (pattern: RegExp): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const watcher = (): void => {
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    };
    watchers.add(watcher);
    watcher();
    ended.then((code) => reject(new Error(`ended with ${code} before ${pattern}:\n${text}`)));
    return promise.finally(() => watchers.delete(watcher));
  };
  return { child, text: () => text, until, ended };
}
