// `perantara schema`: keeps config/perantara.schema.json in step with the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemaText } from '../config/json-schema.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

const FILE = 'config/perantara.schema.json';

export const schemaVerb: Verb = {
  name: 'schema',
  help: `Usage: perantara schema [--check]

Writes ${FILE}, the JSON Schema of the configuration
file. An editor that finds this line at its top helps with every key:

  # yaml-language-server: $schema=./perantara.schema.json

  --check            write nothing; end with 1 when the file is out of date
`,
  flags: { check: { value: null } },
  words: [],
  run: async (flags, terminal) => {
    const path = join(terminal.folder, FILE);
    if (flags.on('check')) return check(path, terminal);
    try {
      await writeFileAtomic(path, jsonSchemaText(), 0o644);
    } catch (error) {
      terminal.err(`perantara schema: cannot write ${FILE}: ${messageOf(error)}\n`);
      return 1;
    }
    terminal.out(`${FILE} written\n`);
    return 0;
  },
};

function check(path: string, terminal: Terminal): number {
  let current = '';
  try {
    current = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') terminal.err(`perantara schema: cannot read ${FILE}: ${messageOf(error)}\n`);
  }
  if (current === jsonSchemaText()) {
    terminal.out(`${FILE} is current\n`);
    return 0;
  }
  terminal.err(`${FILE} is out of date; run "npm run schema"\n`);
  return 1;
}
