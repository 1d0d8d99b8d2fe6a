// `perantara target drain NAME` and `perantara target enable NAME`: a target of the running process gets no new requests, or its
// share again.
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { TargetReport } from '../server/worker-report.ts';
import { findProcess, listOf, PROCESS_FLAGS, PROCESS_HELP, type RunningProcess, refusalOf } from './running-process.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

export const drainVerb: Verb = {
  name: 'target drain',
  help: `Usage: perantara target drain NAME [--config FILE | --socket PATH]

The target gets no new requests from now on: the others of its group take them,
and where there is none the answer is 503. Requests, WebSockets and streams that
are under way on it go on; "perantara status" says how many. It stays so over
reloads, until "perantara target enable NAME" or a restart.

NAME is the target as "perantara status" shows it, or as the file has it.

Ends with 0 when it is drained, also if it was before, else with 1.

${PROCESS_HELP}`,
  flags: PROCESS_FLAGS,
  words: ['NAME'],
  run: async (flags, terminal, [name]) => {
    const running = await findProcess('target drain', flags, terminal);
    return running === null ? 1 : await switchTarget(running, 'drain', name!, terminal);
  },
};

export const enableVerb: Verb = {
  name: 'target enable',
  help: `Usage: perantara target enable NAME [--config FILE | --socket PATH]

The target gets its share of new requests again, after "perantara target drain".

Ends with 0 when it does, also if it did before, else with 1.

${PROCESS_HELP}`,
  flags: PROCESS_FLAGS,
  words: ['NAME'],
  run: async (flags, terminal, [name]) => {
    const running = await findProcess('target enable', flags, terminal);
    return running === null ? 1 : await switchTarget(running, 'enable', name!, terminal);
  },
};

async function switchTarget(
  running: RunningProcess,
  step: 'drain' | 'enable',
  name: string,
  terminal: Terminal,
): Promise<number> {
  try {
    const reply = await running.ask('POST', `/targets/${step}`, undefined, JSON.stringify({ target: name }));
    const { target, changed } = reply.body;
    if (typeof target !== 'string' || typeof changed !== 'boolean')
      throw new Error(refusalOf(reply) ?? `answered with status ${reply.status}`);
    const now = step === 'drain' ? 'drained' : 'enabled';
    const after = step === 'drain' ? await underWay(running, target) : '';
    terminal.out(`${printable(target)}: ${changed ? now : `${now} already`}${after}\n`);
    return 0;
  } catch (error) {
    terminal.err(`perantara target ${step}: ${printable(messageOf(error))}\n`);
    return 1;
  }
}

/** `; 3 requests are under way on it`; or nothing, when that cannot be read: the target is drained all the same. */
async function underWay(running: RunningProcess, name: string): Promise<string> {
  const targets = await listOf<TargetReport>(running, 'targets').catch(() => null);
  if (targets === null) return '';
  const count = targets.find((target) => target.name === name)?.inflight ?? 0;
  if (count === 0) return '; nothing is under way on it';
  return count === 1 ? '; 1 request is under way on it' : `; ${count} requests are under way on it`;
}
