// The loads of test/bench/programs: each a process of its own that prints one line of JSON.
import { resolve } from 'node:path';
import { runPinned, startPinned } from '../pinned-process.ts';
import type { Outcome } from './outcome.ts';
import type { LoadRig } from './rig.ts';

const PROGRAMS = resolve(import.meta.dirname, '../programs');

export interface HandshakeOptions {
  readonly mode: 'full' | 'resumed';
  readonly seconds: number;
  readonly concurrency: number;
}

/** Every connection must have been resumed, but for each worker's first, or none. */
export async function runHandshakes(rig: LoadRig, port: number, options: HandshakeOptions): Promise<Outcome> {
  const { mode, seconds, concurrency } = options;
  const args = [`${port}`, mode, `${seconds}`, `${concurrency}`];
  const outcome = (await runProgram(rig, 'handshakes.ts', args, seconds)) as Outcome & { readonly resumed: number };
  const full = outcome.count - outcome.resumed;
  const errors = [...outcome.errors];
  if (mode === 'full' && outcome.resumed > 0) errors.push(`${outcome.resumed} handshakes were resumed`);
  if (mode === 'resumed' && full > concurrency) errors.push(`${full} of ${outcome.count} handshakes were full`);
  return { ...outcome, errors };
}

export interface MessageOptions {
  readonly seconds: number;
  readonly connections: number;
  readonly bytes: number;
}

export async function runMessages(rig: LoadRig, port: number, options: MessageOptions): Promise<Outcome> {
  const { seconds, connections, bytes } = options;
  return (await runProgram(rig, 'messages.ts', [port, seconds, connections, bytes].map(String), seconds)) as Outcome;
}

export interface HeldConnections {
  readonly open: number;
  readonly errors: readonly string[];
  close(): Promise<void>;
}

const OPEN_LIMIT_MS = 40_000;

/** Resolves when all are open and have had their response. */
export async function holdConnections(rig: LoadRig, port: number, count: number): Promise<HeldConnections> {
  const announced = Promise.withResolvers<{ open: number; errors: string[] }>();
  const child = await startPinned({
    command: process.execPath,
    args: [resolve(PROGRAMS, 'idle-connections.ts'), `${port}`, `${count}`],
    core: rig.core,
    onLine: (line) => {
      if (line.startsWith('{')) announced.resolve(JSON.parse(line));
    },
  });
  const timer = setTimeout(() => announced.reject(new Error('connections took too long')), OPEN_LIMIT_MS);
  void child.exited.then(() => announced.reject(new Error(`the client ended: ${child.output()}`)));
  try {
    const held = await announced.promise;
    return { ...held, close: async () => void (await child.stop()) };
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs one of the programs to its end; resolves with the last line of JSON it printed. */
export async function runProgram(
  rig: LoadRig,
  name: string,
  args: readonly string[],
  seconds: number,
): Promise<unknown> {
  const all = [resolve(PROGRAMS, name), ...args];
  const { code, output } = await runPinned(
    { command: process.execPath, args: all, core: rig.core },
    (seconds + 20) * 1_000,
  );
  const line = output.split('\n').findLast((text) => text.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`${name} failed with ${code}: ${output}`);
  return JSON.parse(line);
}
