// The machine around a verb: whose home folder, and programs of the system run to their end.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Machine, ProgramResult } from '../certs/trust/trust-store.ts';
import { codeOf } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';

/** Nothing that is run here takes longer, unless it waits for a password that nobody types. */
const PROGRAM_MS = 120_000;

export function thisMachine({ env }: Terminal): Machine {
  return { platform: process.platform, root: '', home: homeOf(env), run };
}

/** Under sudo the person's own home, not that of root. */
function homeOf(env: Terminal['env']): string | null {
  const person = env.SUDO_USER;
  if (person === undefined || process.getuid?.() !== 0) return homedir() || null;
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${person}:`));
    return line?.split(':')[5] ?? null;
  } catch {
    return null;
  }
}

function run(program: string, args: readonly string[]): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { timeout: PROGRAM_MS, encoding: 'utf8' }, (error, out, err) => {
      if (error !== null && codeOf(error) === 'ENOENT') resolve({ code: null, output: '' });
      else resolve({ code: error === null ? 0 : (child.exitCode ?? 1), output: `${out}${err}` });
    });
    child.stdin?.end();
  });
}
