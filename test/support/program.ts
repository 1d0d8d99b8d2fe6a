// A foreign program that runs to its end: what it printed and its exit code, without judging either.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { MAIN_FILE } from './perantara.ts';
import { findTool } from './tools.ts';

export interface Run {
  /** null when it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, then standard error. */
  readonly text: string;
}

export interface RunOptions {
  /** Written to its standard input, which then ends. Default empty. */
  readonly input?: string | Buffer;
  /** Ended by SIGTERM once what it printed on standard error fits. Default never. */
  readonly until?: RegExp;
  /** Killed after this long. Default 30 s. */
  readonly withinMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly cwd?: string;
}

export async function runProgram(command: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { uid, cwd, until } = options;
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    timeout: options.withinMs ?? 30_000,
    killSignal: 'SIGKILL',
    ...(uid === undefined ? {} : { uid, gid: uid }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(options.input ?? '');
  let said = '';
  if (until !== undefined) {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (until.test(said)) child.kill('SIGTERM');
    });
  }
  const [stdout, stderr, [code]] = await Promise.all([
    buffer(child.stdout).then(String),
    buffer(child.stderr).then(String),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr, text: `${stdout}${stderr}` };
}

/** curl without the user's own settings; quiet but for errors. */
export async function curl(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runProgram(await findTool('curl'), ['-q', '-sS', '--max-time', '30', ...args], options);
}

export async function openssl(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runProgram(await findTool('openssl'), args, options);
}

/** The command itself, for verbs that end. */
export function perantara(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runProgram(process.execPath, [MAIN_FILE, ...args], options);
}
