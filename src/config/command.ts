// Programs of the operator: as written, and whether they are there and may be run.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf } from '../core/errors.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import { showValue } from './problem.ts';
import type { Path } from './source.ts';

export const COMMAND_FORMS = 'a program such as /usr/local/bin/dns.sh, or a list of program and arguments';

export interface Command {
  /** A bare name is looked for in PATH. */
  readonly program: string;
  readonly args: readonly string[];
}

/** No shell reads it: a text is one program, a list is a program and its arguments. */
export function parseCommand(written: string | readonly string[]): Parsed<Command> {
  const [program = '', ...args] = typeof written === 'string' ? [written] : written;
  if (program.trim() === '') return mistaken('it names no program', { allowed: COMMAND_FORMS });
  if ([program, ...args].some((part) => part.includes('\0'))) return mistaken('it has a NUL');
  if (typeof written === 'string' && /\s-|\s[|;&<>]|^\S+\.\w+\s/.test(written))
    return mistaken('it has arguments; no shell takes it apart', {
      allowed: 'a list such as [/usr/bin/env, sh, dns.sh]',
    });
  return meant({ program, args });
}

/** The command with its program's absolute path, where it is one; a problem is reported when it cannot be run. */
export function readCommand({ program, args }: Command, path: Path, draft: Draft): Command {
  if (!program.includes('/')) return { program, args };
  const file = resolve(draft.folder, program);
  const fail = (state: string): void => draft.errorAt(path, `${showValue(file)} ${state}`);
  try {
    if (!statSync(file).isFile()) fail('is not a file');
    else accessSync(file, constants.X_OK);
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    fail(isMissing ? 'does not exist' : 'may not be run by this user');
  }
  return { program: file, args };
}
