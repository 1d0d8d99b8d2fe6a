// The process as the verbs see it: where text goes, what the environment says, how it ends.
import { createInterface } from 'node:readline/promises';
import { systemClock } from '../core/clock.ts';
import { type Screen, TerminalScreen } from './screen.ts';

export interface Terminal {
  /** Writes to standard output; a closed pipe (`| head -1`) is no error. */
  out(text: string): void;
  /** Writes to standard error; the same. */
  err(text: string): void;
  /** Asks on standard error and resolves with the line that is typed; null when standard input is no terminal. */
  ask(question: string): Promise<string | null>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard error, where the log goes, is a terminal. */
  readonly interactive: boolean;
  /** Width of standard output; 80 when it is no terminal. */
  readonly columns: number;
  /** The whole of it, for a verb that draws; null when standard input or output is none. */
  readonly screen: Screen | null;
  readonly folder: string;
  now(): number;
  /** Ends the process once everything written has left it. */
  exit(code: number): void;
}

export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {}); // EPIPE and the like: nobody reads any more
  }
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    ask: async (question) => {
      if (process.stdin.isTTY !== true) return null;
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await lines.question(question);
      } finally {
        lines.close();
      }
    },
    env: process.env,
    interactive: process.stderr.isTTY === true,
    columns: process.stdout.columns ?? 80,
    screen: TerminalScreen.of(process),
    folder: process.cwd(),
    now: () => systemClock.now(),
    exit: (code) => {
      process.exitCode = code;
      process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
    },
  };
}
