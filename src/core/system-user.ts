// Users and groups of this machine: from /etc/passwd and /etc/group, else from whatever else the system asks (`getent`, for LDAP
// and the like).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  /** Of its first group. */
  readonly gid: number;
}

export interface SystemGroup {
  readonly name: string;
  readonly gid: number;
}

/** What setuid(2) takes; the last one means "do not change". */
export const MAX_ID = 2 ** 32 - 2;
const ASK_MS = 5_000;

/** By name, or by number in decimal. null: there is none. */
export function findUser(written: string): SystemUser | null {
  const [name, , uid, gid] = entryOf('passwd', written) ?? [];
  return name === undefined ? null : { name, uid: Number(uid), gid: Number(gid) };
}

export function findGroup(written: string): SystemGroup | null {
  const [name, , gid] = entryOf('group', written) ?? [];
  return name === undefined ? null : { name, gid: Number(gid) };
}

/** Both databases have the name first and the number third. A name wins over a number. */
function entryOf(database: 'passwd' | 'group', written: string): readonly string[] | null {
  const entries = linesOf(database).map((line) => line.split(':'));
  const isWhole = ([, , id]: readonly string[]): boolean => /^\d+$/.test(id ?? '');
  const known = entries.filter(isWhole);
  const found = known.find(([name]) => name === written) ?? known.find(([, , id]) => id === written);
  return found ?? ask(database, written);
}

function linesOf(database: string): readonly string[] {
  try {
    return readFileSync(`/etc/${database}`, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function ask(database: string, written: string): readonly string[] | null {
  if (!/^[A-Za-z0-9_.@$\\-]+$/.test(written) || written.startsWith('-')) return null;
  try {
    const out = execFileSync('getent', [database, written], { timeout: ASK_MS, stdio: ['ignore', 'pipe', 'ignore'] });
    const entry = out.toString('utf8').trim().split(':');
    return /^\d+$/.test(entry[2] ?? '') ? entry : null;
  } catch {
    return null;
  }
}
