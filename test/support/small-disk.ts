// A disk of its own for one test (a tmpfs), small enough to fill and ours to mount read-only: where this user may mount.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { codeOf } from '../../src/core/errors.ts';

export interface SmallDisk {
  readonly folder: string;
  /** Leaves so much room (a multiple of 4 KiB), default not a byte. */
  fill(leaveBytes?: number): void;
  /** Takes back what `fill` wrote. */
  makeRoom(): void;
  readOnly(on: boolean): void;
}

/** Options of a test that needs such a disk: skipped, with the reason, where none can be mounted. */
export const needsSmallDisk: { readonly skip: string | false } = (() => {
  const folder = join(tmpdir(), `perantara-mount-${process.pid}`);
  try {
    execFileSync('mkdir', [folder]);
    mount(folder);
    execFileSync('umount', [folder]);
    return { skip: false };
  } catch (error) {
    return { skip: `a tmpfs cannot be mounted here: ${(error as Error).message.split('\n')[0]}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})();

export async function smallDisk(t: TestContext): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'perantara-disk-'));
  mount(folder);
  t.after(async () => {
    execFileSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  });
  const filler = join(folder, 'filler');
  return {
    folder,
    fill: (leaveBytes = 0) => {
      const file = openSync(filler, 'a');
      try {
        for (;;) writeSync(file, Buffer.alloc(4_096));
      } catch (error) {
        if (codeOf(error) !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
      truncateSync(filler, statSync(filler).size - leaveBytes);
    },
    makeRoom: () => rmSync(filler),
    readOnly: (on) => void execFileSync('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, folder]),
  };
}

function mount(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', folder], { stdio: 'pipe' });
}
