// Storage in a folder of this machine: one file per value, mode 0600 in folders of mode 0700.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { codeOf, messageOf, PerantaraError } from '../../core/errors.ts';
import { makeFolder } from '../../core/make-folder.ts';
import { checkStorageKey, type Storage } from './storage.ts';

/** More than any certificate with its chain, so that a nearly full disk shows before the CA is asked. */
const PROBE_BYTES = 32 * 1024;
/** No value of ours comes near. */
const MAX_BYTES = 16 * 1024 ** 2;

export class FileStorage implements Storage {
  readonly #root: string;

  /** `root`: absolute path; made when something is first stored. */
  constructor(root: string) {
    this.#root = root;
  }

  locate(key: string): string {
    checkStorageKey(key);
    return join(this.#root, ...key.split('/'));
  }

  async store(key: string, value: string): Promise<void> {
    const path = this.locate(key);
    try {
      await inPlaceOfFolder(path, () => writeFileAtomic(path, value, 0o600));
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }

  /** A folder, a pipe, a device or gigabytes can be no value: they read as '', which every reader takes for damaged. */
  async load(key: string): Promise<string | null> {
    const path = this.locate(key);
    try {
      return await readValue(path);
    } catch (cause) {
      if (isAbsent(cause)) return null;
      throw unreadable(path, cause);
    }
  }

  async move(from: string, to: string): Promise<void> {
    const target = this.locate(to);
    const source = this.locate(from);
    try {
      await makeFolder(dirname(target));
      await rename(source, target);
    } catch (cause) {
      if (!isAbsent(cause)) throw unwritable(target, cause);
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.locate(key);
    try {
      await inPlaceOfFolder(path, () => unlink(path));
    } catch (cause) {
      if (!isAbsent(cause)) throw unwritable(path, cause);
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const folder = this.locate(prefix);
    try {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
        .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .sort();
    } catch (cause) {
      if (isAbsent(cause)) return [];
      throw unreadable(folder, cause);
    }
  }

  async assertWritable(): Promise<void> {
    const probe = join(this.#root, '.probe');
    try {
      await writeFileAtomic(probe, randomBytes(PROBE_BYTES));
      await unlink(probe).catch((error: unknown) => {
        if (!isAbsent(error)) throw error;
      });
    } catch (cause) {
      throw unwritable(this.#root, cause);
    }
  }
}

/** Never waits: a pipe that nobody writes to would hold a thread for ever. */
async function readValue(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    return stats.isFile() && stats.size <= MAX_BYTES ? await file.readFile('utf8') : '';
  } finally {
    await file.close();
  }
}

/** Does it once more when a folder stood in the way, which is then called `<path>.bad-…`: it may hold something of value. */
async function inPlaceOfFolder(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isAbsent(error) || !(await stat(path).catch(() => null))?.isDirectory()) throw error;
    await rename(path, `${path}.bad-${randomBytes(4).toString('hex')}`);
    await work();
  }
}

/** ENOTDIR: a file stands where a folder of the key should be, so the key has no value. */
function isAbsent(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(path: string, cause: unknown): PerantaraError {
  const code = codeOf(cause);
  const isForbidden = code === 'EACCES' || code === 'EPERM';
  const reason = isForbidden
    ? `user ${process.getuid?.() ?? '?'} has no permission; run Perantara as the user that the folder belongs to, or make it theirs (chown)`
    : messageOf(cause);
  return new PerantaraError(`cannot read "${path}": ${reason}`, {
    code: 'storage_unreadable',
    source: 'operator',
    cause,
  });
}

/** Also used by the locks, which live in the same folder. */
export function unwritable(path: string, cause: unknown): PerantaraError {
  return new PerantaraError(`cannot write "${path}": ${reasonOf(codeOf(cause)) ?? messageOf(cause)}`, {
    code: 'storage_unwritable',
    source: 'operator',
    retryable: true,
    cause,
  });
}

/** What is wrong and what to do, for the mistakes people make. */
function reasonOf(code: string): string | null {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `user ${process.getuid?.() ?? '?'} has no permission; make the folder theirs (chown) or set "storage" to another`;
    case 'EROFS':
      return 'the file system is read-only; mount it writable or set "storage" to another folder';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full; make room';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands where a folder is needed; move it away or set "storage" to another folder';
    case 'ENOENT': // also what Node says when it cannot make a folder on a read-only file system
      return 'the folder cannot be made there; mount the file system writable if it is read-only, or set "storage" to another folder';
    default:
      return null;
  }
}
