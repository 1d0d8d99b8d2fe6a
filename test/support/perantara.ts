// The command `perantara` as a child process, as a user starts it: config in a file, log lines out, signals in.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LogLine } from './captured-log.ts';
import { startChild } from './child.ts';

export const MAIN_FILE = resolve(import.meta.dirname, '../../src/main.ts');
const START_MS = 30_000;
const LINE_MS = 45_000;
/** One process, which starts sooner, unless a test or its caller wants more. */
const WORKERS = Number(process.env.WORKERS ?? 1);

export interface PerantaraOptions {
  /** A config as the file has it. Without `storage` and `listen`: a folder that goes at the end, and any ports of 127.0.0.1. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Arguments in place of `run --config FILE`. */
  readonly args?: readonly string[];
  /** Besides those. Default none. */
  readonly flags?: readonly string[];
  /** The program's first file. Default src/main.ts. */
  readonly main?: string;
  /** Passed to it as a service manager does (sd_listen_fds(3)). Default none. */
  readonly passed?: readonly number[];
  /** Added to its environment. Default none. */
  readonly env?: Readonly<Record<string, string>>;
  /** How many files and sockets it may open. Default as many as this process. */
  readonly openFiles?: number;
  /** Called with each line the program prints. Default none. */
  readonly onLine?: (line: string) => void;
}

export interface Perantara {
  /** Where the plain and the TLS listener are; 0 for none. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly pid: number;
  /** Default storage of this program. */
  readonly storage: string;
  /** What it was started with; `perantara certs --config FILE` reads it too. */
  readonly configFile: string;
  /** Log lines so far. */
  readonly log: readonly LogLine[];
  /** Everything printed lately. */
  output(): string;
  /** The first log line, of those so far and to come, that fits. Rejects when the program ends without or after 45 s. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Resolves when `certificate obtained` (or `renewed`) was logged for each of the names. */
  obtained(...names: readonly string[]): Promise<void>;
  signal(name: NodeJS.Signals): void;
  ended(): boolean;
  /** The exit code; 128 + n for a signal. */
  readonly exited: Promise<number>;
  /** Ends it at once if it runs. Idempotent. */
  stop(): Promise<void>;
}

/** Resolves when it listens. Throws with everything it printed when it ends instead. */
export async function startPerantara(options: PerantaraOptions): Promise<Perantara> {
  const folder = await mkdtemp(join(tmpdir(), 'perantara-e2e-'));
  const storage = join(folder, 'storage');
  const configFile = join(folder, 'perantara.yaml');
  const listen = { http: '127.0.0.1:0', https: '127.0.0.1:0' };
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify({ storage, listen, workers: WORKERS, ...options.config }, null, 2));

  const log: LogLine[] = [];
  const watchers = new Set<() => void>();
  let pid = 0;
  const onLine = (line: string): void => {
    options.onLine?.(line);
    if (pid === 0) pid = Number(/^pid (\d+)$/.exec(line)?.[1] ?? 0);
    else if (line.startsWith('{')) log.push(JSON.parse(line) as LogLine);
    for (const watch of watchers) watch();
  };
  const { passed = [], env = {} } = options;
  const limit = options.openFiles === undefined ? '' : `ulimit -n ${options.openFiles}; `;
  // The program keeps the shell's process id.
  const activation =
    passed.length === 0 ? '' : `export LISTEN_PID=$\{LISTEN_PID-$$} LISTEN_FDS=$\{LISTEN_FDS-${passed.length}}; `;
  const args = [...(options.args ?? ['run', '--config', configFile]), ...(options.flags ?? [])];
  const child = startChild({
    command: '/bin/sh',
    args: [
      '-c',
      `${limit}${activation}echo "pid $$"; exec "$@"`,
      'sh',
      process.execPath,
      options.main ?? MAIN_FILE,
      ...args,
    ],
    env,
    descriptors: passed,
    folder,
    onLine,
  });
  void child.exited.then(() => {
    for (const watch of watchers) watch();
  });

  const logged = (fits: (line: LogLine) => boolean, waitMs = LINE_MS): Promise<LogLine> => {
    const { promise, resolve: found, reject } = Promise.withResolvers<LogLine>();
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      watchers.delete(watch);
      act();
    };
    const watch = (): void => {
      const line = log.find(fits);
      if (line !== undefined) finish(() => found(line));
      else if (child.ended()) finish(() => reject(new Error(`perantara ended:\n${child.output()}`)));
    };
    const giveUp = (): void => reject(new Error(`not logged within ${waitMs} ms: ${fits}\n${child.output()}`));
    const timer = setTimeout(() => finish(giveUp), waitMs);
    watchers.add(watch);
    watch();
    return promise;
  };
  const stop = async (): Promise<void> => {
    if (pid > 0 && !child.ended()) process.kill(pid, 'SIGKILL');
    await child.stop();
  };
  const port = async (protocol: string): Promise<number> => {
    const line = await logged((entry) => entry.msg === 'listening' && entry.protocol === protocol, START_MS);
    return Number(/:(\d+)$/.exec(String(line.address))?.[1]);
  };
  try {
    const httpsPort = await port('https');
    const hasHttp = log.some((line) => line.msg === 'listening' && line.protocol === 'http');
    return {
      httpPort: hasHttp ? await port('http') : 0,
      httpsPort,
      pid,
      storage,
      configFile,
      log,
      output: () => child.output(),
      logged: (fits) => logged(fits),
      obtained: async (...names) => {
        const isDone = (name: string, line: LogLine): boolean =>
          line.name === name && (line.msg === 'certificate obtained' || line.msg === 'certificate renewed');
        await Promise.all(names.map((name) => logged((line) => isDone(name, line))));
      },
      signal: (name) => void process.kill(pid, name),
      ended: () => child.ended(),
      exited: child.exited,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
