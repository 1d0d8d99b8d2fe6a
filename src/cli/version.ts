// `perantara version`.
import { readFileSync } from 'node:fs';
import type { Verb } from './verb.ts';

export const versionVerb: Verb = {
  name: 'version',
  help: 'Usage: perantara version\n\nPrints the version of Perantara and of the Node that runs it.\n',
  flags: {},
  words: [],
  run: async (_flags, terminal) => {
    terminal.out(`perantara ${packageVersion()} (node ${process.version})\n`);
    return 0;
  },
};

/** The same file is two folders up from src/cli and from dist/cli. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
