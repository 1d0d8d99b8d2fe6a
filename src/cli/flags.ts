// Flags of one verb: strict about what is known, helpful about what was meant.
import { parseArgs } from 'node:util';
import { suggest } from '../core/suggest.ts';
import { UsageError } from './verb.ts';

export interface FlagSpec {
  /** What stands for the value in messages (`FILE`), or null for a switch. */
  readonly value: string | null;
  /** The accepted values. Default any. */
  readonly choices?: readonly string[];
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** Values of the flags given; `true` for a switch. */
export interface Flags {
  text(name: string): string | null;
  on(name: string): boolean;
}

export interface CommandLine {
  readonly flags: Flags;
  readonly words: readonly string[];
  /** Whether `--help` or `-h` is among the arguments. */
  readonly help: boolean;
}

/** Throws UsageError. */
export function parseFlags(
  verb: string,
  specs: FlagSpecs,
  expected: readonly string[],
  args: readonly string[],
): CommandLine {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, { value }] of Object.entries(specs))
    options[name] = { type: value === null ? 'boolean' : 'string' };
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help'))
    return { flags: readFlags(new Map()), words: [], help: true };

  const values = new Map<string, string | true>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (words.push(token.value) > expected.length) throw strayWord(verb, token.value, expected, specs);
    } else if (token.kind === 'option') {
      const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
      if (spec === undefined || !token.rawName.startsWith('--')) throw unknownFlag(verb, token.rawName, specs);
      if (values.has(token.name)) throw new UsageError(`cannot use ${token.rawName} twice`);
      values.set(token.name, flagValue(spec, token.rawName, token.value, token.inlineValue === true));
    }
  }
  const missing = expected[words.length];
  if (missing !== undefined && !missing.startsWith('['))
    throw new UsageError(`cannot do anything: ${missing} is missing, as in ${verb} ${expected.join(' ')}`);
  return { flags: readFlags(values), words, help: false };
}

function readFlags(values: ReadonlyMap<string, string | true>): Flags {
  return {
    text: (name) => {
      const value = values.get(name);
      return typeof value === 'string' ? value : null;
    },
    on: (name) => values.has(name),
  };
}

function flagValue(spec: FlagSpec, flag: string, value: string | undefined, inline: boolean): string | true {
  if (spec.value === null) {
    if (value !== undefined) throw new UsageError(`cannot use ${flag}=${value}: ${flag} takes no value`);
    return true;
  }
  if (value === undefined || value === '' || (!inline && value.startsWith('-')))
    throw new UsageError(`cannot use ${flag} alone: it needs a value, as in ${flag} ${spec.value}`);
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    const near = suggest(value, spec.choices);
    const hint = near === null ? '' : `; did you mean ${near}?`;
    throw new UsageError(`cannot use ${flag} ${JSON.stringify(value)}: allowed are ${spec.choices.join(', ')}${hint}`);
  }
  return value;
}

function unknownFlag(verb: string, written: string, specs: FlagSpecs): UsageError {
  const names = [...Object.keys(specs), 'help'];
  const bare = written.replace(/^-+/, '');
  const near = bare.length === 1 ? names.find((name) => name.startsWith(bare)) : suggest(bare, names);
  const hint = near === undefined || near === null ? '' : `; did you mean --${near}?`;
  return new UsageError(`cannot use ${JSON.stringify(written)}: ${verb} has no such flag${hint}`);
}

function strayWord(verb: string, word: string, expected: readonly string[], specs: FlagSpecs): UsageError {
  const isFile = Object.hasOwn(specs, 'config') && /[./]/.test(word);
  const hint = isFile ? `; did you mean --config ${word}?` : '';
  const takes = expected.length === 0 ? 'flags only' : `only ${expected.join(' ')} beside its flags`;
  return new UsageError(`cannot use ${JSON.stringify(word)}: ${verb} takes ${takes}${hint}`);
}
