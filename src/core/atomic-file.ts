// Writing a file so that a reader, or a crash at any moment, sees the old content or the new and never a part.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from './make-folder.ts';

/**
 * Replaces `path` by `content`: temporary file beside it → fsync → rename → fsync of the folder. Missing folders are
 * made with mode 0700. Throws the file system's own error; the old file is then untouched and no temporary file stays.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  const made = await makeFolder(folder);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx', mode);
    await file.writeFile(content);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, path);
  } catch (error) {
    await file?.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
  // New folders are entries of their parents, which are to last as well.
  for (let child = folder; made !== undefined; child = dirname(child)) {
    await syncFolder(dirname(child));
    if (child.length <= made.length) break;
  }
}

/** Makes a rename in `folder` durable. Platforms that cannot open folders (Windows) keep their own guarantees. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  try {
    await handle.sync();
  } catch {
    // Some file systems refuse fsync on folders; the file itself is already synced.
  } finally {
    await handle.close();
  }
}
