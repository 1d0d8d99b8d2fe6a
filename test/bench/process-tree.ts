// What a process and all its descendants have used, from Linux's /proc (proc(5)).
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** User and system time, of children that have ended too. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** USER_HZ: what /proc counts in, the same on every architecture that Node runs on. */
const MS_PER_TICK = 10;

/** Throws when `root` is gone. */
export function usageOf(root: number): Usage {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const fields = statOf(pid);
    if (fields === null) continue;
    parents.set(pid, Number(fields[1]));
    ticks.set(
      pid,
      fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0),
    );
  }
  if (!parents.has(root)) throw new Error(`cannot measure process ${root}: it has ended`);
  let cpuMs = 0;
  let rssBytes = 0;
  for (const pid of parents.keys()) {
    if (!descends(pid, root, parents)) continue;
    cpuMs += ticks.get(pid)! * MS_PER_TICK;
    rssBytes += rssOf(pid);
  }
  return { cpuMs, rssBytes };
}

/** Process ids of its children. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((each) => Number.isInteger(each) && Number(statOf(each)?.[1]) === pid);
}

/** Fields of /proc/PID/stat from `state` on: the name before it may hold anything. */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function rssOf(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function descends(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at)) if (at === root) return true;
  return false;
}
