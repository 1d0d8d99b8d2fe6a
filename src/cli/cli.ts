// The command line as a whole: finds the verb, reads its flags, runs it, ends the process with its exit code.
// 0 done, 1 failed, 2 not understood.
import { printable } from '../core/printable.ts';
import { suggest } from '../core/suggest.ts';
import { parseFlags } from './flags.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { UsageError, type Verb } from './verb.ts';

/** Loaded one at a time, so that `help` does not wait for the server's code. */
const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  run: async () => (await import('./run.ts')).runVerb,
  validate: async () => (await import('./validate.ts')).validateVerb,
  status: async () => (await import('./status.ts')).statusVerb,
  top: async () => (await import('./top.ts')).topVerb,
  reload: async () => (await import('./reload.ts')).reloadVerb,
  proxy: async () => (await import('./proxy.ts')).proxyVerb,
  certs: async () => (await import('./certs/list.ts')).certsVerb,
  check: async () => (await import('./check.ts')).checkVerb,
  explain: async () => (await import('./explain.ts')).explainVerb,
  'certs import': async () => (await import('./certs/import.ts')).importVerb,
  'certs renew': async () => (await import('./certs/renew.ts')).renewVerb,
  'certs revoke': async () => (await import('./certs/revoke.ts')).revokeVerb,
  'certs roll-over': async () => (await import('./certs/roll-over.ts')).rollOverVerb,
  'certs trust': async () => (await import('./certs/trust.ts')).trustVerb,
  'target drain': async () => (await import('./target.ts')).drainVerb,
  'target enable': async () => (await import('./target.ts')).enableVerb,
  schema: async () => (await import('./schema.ts')).schemaVerb,
  version: async () => (await import('./version.ts')).versionVerb,
  help: async () => (await import('./help.ts')).helpVerb,
};

export interface FoundVerb {
  readonly verb: Verb;
  readonly rest: readonly string[];
}

/** Runs `perantara ...args` and ends the process. */
export async function main(args: readonly string[]): Promise<void> {
  const terminal = processTerminal();
  let code: number;
  try {
    code = await runCommand(args, terminal);
  } catch (error) {
    const stack = error instanceof Error ? error.stack : String(error);
    terminal.err(`perantara: stopped by a fault of its own; please report it:\n${stack}\n`);
    code = 1;
  }
  terminal.exit(code);
}

/** Resolves with the exit code. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  let subject = 'perantara';
  try {
    const { verb, rest } = await loadVerb(readVerb(args));
    subject = `perantara ${verb.name}`;
    const { flags, words, help } = parseFlags(verb.name, verb.flags, verb.words, rest);
    if (help) {
      terminal.out(verb.help);
      return 0;
    }
    return await verb.run(flags, terminal, words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(`${subject}: ${printable(error.message)}\nTry "${subject} --help".\n`);
    return 2;
  }
}

/** The arguments with the verb first. */
function readVerb(args: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError('cannot start: no verb is given, such as run, validate or help');
  if (first === '--help' || first === '-h') return ['help'];
  if (first === '--version' || first === '-v' || first === '-V') return ['version'];
  if (!first.startsWith('-')) return [first, ...rest];
  const isProxy = /^--(from|to)\b/.test(first);
  throw new UsageError(
    `cannot use ${JSON.stringify(first)}: a verb comes first; did you mean perantara ${isProxy ? 'proxy' : 'run'} ${first}?`,
  );
}

/** The verb of one or two words at the beginning, and what follows it. Throws UsageError for a word that is no verb. */
export async function loadVerb(args: readonly [string, ...string[]]): Promise<FoundVerb> {
  const [name, next, ...others] = args;
  const family = Object.keys(VERBS).filter((verb) => verb.startsWith(`${name} `));
  if (next !== undefined && !next.startsWith('-') && family.length > 0) {
    const long = `${name} ${next}`;
    if (family.includes(long)) return { verb: await VERBS[long]!(), rest: others };
    const near = suggest(long, family) ?? `one of ${family.join(', ')}`;
    throw new UsageError(`cannot use ${JSON.stringify(long)}: there is no such verb; did you mean ${near}?`);
  }
  if (Object.hasOwn(VERBS, name)) return { verb: await VERBS[name]!(), rest: args.slice(1) };
  if (family.length > 0) throw new UsageError(`cannot do anything: a word is missing, as in ${family.join(' or ')}`);
  const verbs = Object.keys(VERBS);
  const near = verbs.find((verb) => verb.endsWith(` ${name}`)) ?? suggest(name, verbs);
  throw new UsageError(
    `cannot use ${JSON.stringify(name)}: there is no such verb${near === null ? '' : `; did you mean ${near}?`}`,
  );
}
