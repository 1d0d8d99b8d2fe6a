// `perantara reload`: the running process loads its file again, and says what came of it.
import type { Problem } from '../config/problem.ts';
import { formatProblem } from '../config/problem.ts';
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { ReloadChanges, ReloadResult } from '../server/reload-result.ts';
import { printProblems } from './config-file.ts';
import { findProcess, PROCESS_FLAGS, PROCESS_HELP, type RunningProcess, refusalOf } from './running-process.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

/** A large file with many certificates of one's own takes seconds; nobody waits for an authority. */
const WITHIN_MS = 300_000;
const MAX_NAMES = 10;

export const reloadVerb: Verb = {
  name: 'reload',
  help: `Usage: perantara reload [--config FILE | --socket PATH]

Makes the running process load its configuration file again. It takes all of it
or nothing: a file with a mistake changes nothing, and the mistakes are printed
as "perantara validate" prints them. Connections, WebSockets and requests under
way go on. SIGHUP does the same and leaves the outcome to the log.

Ends with 0 when the new configuration is in force, else with 1.

${PROCESS_HELP}`,
  flags: PROCESS_FLAGS,
  words: [],
  run: async (flags, terminal) => {
    const running = await findProcess('reload', flags, terminal);
    if (running === null) return 1;
    try {
      return await reload(running, terminal);
    } catch (error) {
      terminal.err(
        `perantara reload: ${printable(messageOf(error))}; the log of process ${running.status.pid} says more\n`,
      );
      return 1;
    }
  },
};

async function reload(running: RunningProcess, terminal: Terminal): Promise<number> {
  const reply = await running.ask('POST', '/reload', WITHIN_MS);
  if (typeof reply.body.accepted !== 'boolean')
    throw new Error(refusalOf(reply) ?? `answered with status ${reply.status}`);
  const result = reply.body as unknown as ReloadResult;
  const { file } = running.status.config;
  const named = running.file ?? file;
  // In words of whoever types: the process may have been started in another folder.
  const here = (problem: Problem): Problem => (problem.file === file ? { ...problem, file: named } : problem);
  if (result.accepted) {
    for (const warning of result.warnings) terminal.err(`warning: ${formatProblem(here(warning))}\n`);
    terminal.out(`${named}: in force as generation ${result.generation}; ${changesText(result.changes)}\n`);
    return 0;
  }
  if (result.problems.length > 0) printProblems(result.problems.map(here), terminal);
  else terminal.err(`perantara reload: ${printable(result.message)}\n`);
  terminal.err(`not reloaded: generation ${running.status.config.generation} stays in force\n`);
  return 1;
}

/** `sites added: a.example, b.example; listeners closed: https 0.0.0.0:8443` */
function changesText(changes: ReloadChanges): string {
  const parts = [
    ['sites added', changes.sitesAdded],
    ['sites removed', changes.sitesRemoved],
    ['sites changed', changes.sitesChanged],
    ['listeners opened', changes.listenersOpened],
    ['listeners closed', changes.listenersClosed],
  ] as const;
  const shown = parts.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${listed(names)}`);
  return shown.length === 0 ? 'no site or listener is another than before' : shown.join('; ');
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return printable(names.slice(0, MAX_NAMES).join(', ')) + (more > 0 ? ` and ${more} more` : '');
}
