// Finding and loading the configuration file for the verbs that need one, and telling what is wrong with it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type LoadResult, loadConfig } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { FlagSpecs, Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

export const CONFIG_FLAG: FlagSpecs = { config: { value: 'FILE' } };
export const CONFIG_HELP = `  --config FILE      the configuration; without it ./perantara.yaml,
                     else ./config/perantara.yaml
`;

const PLACES: readonly string[] = ['perantara.yaml', 'config/perantara.yaml'];
/** More than a screenful helps nobody. */
const MAX_SHOWN = 50;

const HOW_TO_BEGIN = `perantara: cannot find a configuration: neither ./perantara.yaml nor ./config/perantara.yaml exists
Name one with --config FILE, or begin with these two lines in ./perantara.yaml:

sites:
  app.example.com: http://127.0.0.1:3000
`;

export interface LoadedFile {
  readonly file: string;
  readonly config: Config;
  readonly warnings: readonly Problem[];
  /** Loads it as it is now. */
  readonly load: () => LoadResult;
}

/** null after printing that there is none. */
export function findConfigFile(flags: Flags, terminal: Terminal): string | null {
  const file = flags.text('config') ?? PLACES.find((place) => existsSync(join(terminal.folder, place))) ?? null;
  if (file === null) terminal.err(HOW_TO_BEGIN);
  return file;
}

/** null after printing why there is no usable configuration; the exit code is then 1. */
export function loadConfigFile(flags: Flags, terminal: Terminal): LoadedFile | null {
  const file = findConfigFile(flags, terminal);
  if (file === null) return null;
  const env = { ...terminal.env }; // as it is now: with `user` the process gets that user's HOME, which would be another configuration
  const load = (): LoadResult => loadConfig(file, { env, now: terminal.now() });
  const loaded = usable(load(), terminal);
  return loaded === null ? null : { file, load, ...loaded };
}

/** Prints the problems of a failed load. */
export function usable(
  result: LoadResult,
  terminal: Terminal,
): { readonly config: Config; readonly warnings: readonly Problem[] } | null {
  if (result.ok) return result;
  printProblems(result.problems, terminal);
  return null;
}

/** One line each, as far as that helps, and how many there are. */
export function printProblems(problems: readonly Problem[], terminal: Pick<Terminal, 'err'>): void {
  for (const problem of problems.slice(0, MAX_SHOWN)) terminal.err(`${formatProblem(problem)}\n`);
  if (problems.length > MAX_SHOWN) terminal.err(`and ${problems.length - MAX_SHOWN} more\n`);
  terminal.err(problems.length === 1 ? '1 problem\n' : `${problems.length} problems\n`);
}
