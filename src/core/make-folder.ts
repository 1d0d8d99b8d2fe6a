// Makes a folder and those above it. Node's own `mkdir` with `recursive` never ends, with a processor at full load, where a
// file system has the parent and yet answers ENOENT: automounted places (/net, some /home) and /proc.
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errors.ts';

/** Mode 0700. Resolves with the first that had to be made, or undefined. Rejects with the file system's own error. */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    if (await isFolder(path)) return undefined;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const made = await makeFolder(dirname(path));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (await isFolder(path)) return made; // another process made it
    throw error;
  }
  return made ?? path;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
