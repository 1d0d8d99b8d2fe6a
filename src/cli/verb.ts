// The contract of a verb, and the error for a command line that cannot be understood.
import type { FlagSpecs, Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

export interface Verb {
  /** `certs`, or `certs renew` for one of several that belong together. */
  readonly name: string;
  /** What `perantara VERB --help` prints: at most 24 lines of 80 columns. */
  readonly help: string;
  readonly flags: FlagSpecs;
  /** What stands for the words beside the flags, in their order: `NAME`, or `[NAME]` for one that may be left out. */
  readonly words: readonly string[];
  /** Resolves with the exit code. */
  run(flags: Flags, terminal: Terminal, words: readonly string[]): Promise<number>;
}

/** Exit code 2: the message says what was found and what to type instead. */
export class UsageError extends Error {}
