// The contract of a verb, and the error for a command line that cannot be understood.
import type { FlagSpecs, Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

export interface Verb {
  readonly name: string;
  /** What `perantara VERB --help` prints: at most 24 lines of 80 columns. */
  readonly help: string;
  readonly flags: FlagSpecs;
  /** How many words may stand beside the flags. */
  readonly positionals: number;
  /** Resolves with the exit code. */
  run(flags: Flags, terminal: Terminal, positionals: readonly string[]): Promise<number>;
}

/** Exit code 2: the message says what was found and what to type instead. */
export class UsageError extends Error {}
