// Foreign programs of the benchmark: from the Debian tree that $PEERS names, run by that tree's own dynamic loader and so
// without root or chroot, else from PATH.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export type PeerProgramName = 'nginx' | 'haproxy' | 'caddy' | 'h2load' | 'curl' | 'wrk';

export interface PeerProgram {
  readonly name: PeerProgramName;
  readonly command: string;
  /** Before the program's own arguments. */
  readonly args: readonly string[];
  readonly version: string;
}

const LOADERS = [
  { loader: 'usr/lib64/ld-linux-x86-64.so.2', libraries: 'usr/lib/x86_64-linux-gnu' },
  { loader: 'usr/lib/ld-linux-aarch64.so.1', libraries: 'usr/lib/aarch64-linux-gnu' },
];
const VERSION_ARGUMENTS: Readonly<Record<PeerProgramName, string>> = {
  nginx: '-v',
  haproxy: '-v',
  caddy: 'version',
  h2load: '--version',
  curl: '--version',
  wrk: '-v',
};

/** null when it is in neither place or does not run there. */
export async function findPeerProgram(name: PeerProgramName): Promise<PeerProgram | null> {
  for (const { command, args } of await candidates(name)) {
    const version = await versionOf(name, command, args);
    if (version !== null) return { name, command, args, version };
  }
  return null;
}

/** A program found in another way. */
export async function describeProgram(name: PeerProgramName, command: string): Promise<PeerProgram> {
  return { name, command, args: [], version: (await versionOf(name, command, [])) ?? 'unknown' };
}

async function candidates(name: string): Promise<{ command: string; args: string[] }[]> {
  const found: { command: string; args: string[] }[] = [];
  const tree = process.env.PEERS ?? '';
  if (tree !== '') {
    for (const { loader, libraries } of LOADERS)
      for (const folder of ['usr/sbin', 'usr/bin'])
        if ((await isExecutable(join(tree, loader))) && (await isExecutable(join(tree, folder, name))))
          found.push({
            command: join(tree, loader),
            args: ['--library-path', join(tree, libraries), join(tree, folder, name)],
          });
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter).concat('/usr/sbin'))
    if (folder !== '' && (await isExecutable(join(folder, name))))
      found.push({ command: join(folder, name), args: [] });
  return found;
}

/** The first number of its version with two dots or more; wrk and others end with a code of their own. */
async function versionOf(name: PeerProgramName, command: string, args: readonly string[]): Promise<string | null> {
  const all = [...args, VERSION_ARGUMENTS[name]];
  const output = await promisify(execFile)(command, all, { timeout: 10_000 }).catch(
    (error: { stdout?: string; stderr?: string }) => ({ stdout: error.stdout ?? '', stderr: error.stderr ?? '' }),
  );
  return /\d+\.\d+\.\d+/.exec(output.stdout + output.stderr)?.[0] ?? null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
