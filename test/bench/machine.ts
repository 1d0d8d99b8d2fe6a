// What the figures were measured on; for the page, so nothing that names this machine.
import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGib: number;
  readonly kernel: string;
  /** Of the repository; `+` when files differ from it. null without git. */
  readonly commit: string | null;
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    cores: processors.length,
    model: processors[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release().split('-')[0]}`,
    commit: await commit(),
  };
}

async function commit(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty=+'], {
      cwd: import.meta.dirname,
    });
    return stdout.trim();
  } catch {
    return null;
  }
}
