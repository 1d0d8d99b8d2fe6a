// Locks as files beside the certificates: made with O_EXCL, refreshed while held, taken over when no longer refreshed.
// Watching for change instead of comparing times makes it right on machines whose clocks differ.
import { randomUUID } from 'node:crypto';
import { type FileHandle, lstat, open, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../core/clock.ts';
import { codeOf, PerantaraError } from '../../core/errors.ts';
import { makeFolder } from '../../core/make-folder.ts';
import { unwritable } from './file-storage.ts';
import { checkStorageKey, type Lock, type Locker } from './storage.ts';

export interface FileLockerOptions {
  /** How often a holder refreshes its file. Default 1 s. */
  readonly beatMs: number;
  /** A file that did not change for this long belongs to nobody. Default 5 s. */
  readonly staleMs: number;
  /** How often a waiter looks. Default 200 ms. */
  readonly pollMs: number;
}

const DEFAULTS: FileLockerOptions = { beatMs: 1_000, staleMs: 5_000, pollMs: 200 };

export class FileLocker implements Locker {
  readonly #folder: string;
  readonly #options: FileLockerOptions;

  /** `root`: the storage folder, absolute. */
  constructor(root: string, options: Partial<FileLockerOptions> = {}) {
    this.#folder = join(root, 'locks');
    this.#options = { ...DEFAULTS, ...options };
  }

  async acquire(name: string, signal: AbortSignal): Promise<Lock> {
    checkStorageKey(name);
    const path = join(this.#folder, ...`${name}.lock`.split('/'));
    const watch = new Watch(path, this.#options.staleMs);
    const owner = randomUUID();
    for (;;) {
      signal.throwIfAborted();
      if (await create(path, lockText(owner, 0))) {
        const lock = new FileLock(path, owner);
        lock.keep(this.#options.beatMs);
        return lock;
      }
      if (await watch.isStale()) await this.#takeAway(path, watch, signal);
      else await pause(this.#options.pollMs, signal);
    }
  }

  /**
   * Removes a stale lock. A second lock keeps two waiters from doing it at once, or the slower one would remove what the
   * faster one has just made. Left behind by a crash in these few instructions, it is itself removed when stale.
   */
  async #takeAway(path: string, watch: Watch, signal: AbortSignal): Promise<void> {
    const guard = `${path}-guard`;
    if (!(await create(guard, randomUUID()))) {
      const guardWatch = new Watch(guard, this.#options.staleMs);
      while (!(await guardWatch.isStale())) {
        if ((await sightOf(guard)) === null) return;
        await pause(this.#options.pollMs, signal);
      }
    } else if (await watch.isStale()) {
      await clear(path);
    }
    await clear(guard);
  }
}

class FileLock implements Lock {
  readonly #path: string;
  readonly #owner: string;
  readonly #lost = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #beats = 0;
  #beating: Promise<void> = Promise.resolve();
  #released = false;

  constructor(path: string, owner: string) {
    this.#path = path;
    this.#owner = owner;
  }

  /** Refreshes the file until the lock is released or lost. */
  keep(beatMs: number): void {
    this.#timer = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#beat());
    }, beatMs).unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async assertHeld(): Promise<void> {
    await this.#beat();
    if (this.#released) this.#lose();
    this.#lost.signal.throwIfAborted();
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#released) return;
    this.#released = true;
    await this.#beating;
    if ((await readText(this.#path))?.startsWith(this.#owner) === true) await remove(this.#path);
  }

  /** Writes through the same handle that proved the ownership, so that nobody else's lock is ever written to. */
  async #beat(): Promise<void> {
    if (this.#released || this.#lost.signal.aborted) return;
    try {
      const file = await open(this.#path, 'r+');
      try {
        if (!(await file.readFile('utf8')).startsWith(this.#owner)) return this.#lose();
        await file.write(lockText(this.#owner, ++this.#beats), 0);
      } finally {
        await file.close();
      }
    } catch (error) {
      // A full disk or an exhausted file table is no proof of loss; a missing file is.
      if (codeOf(error) === 'ENOENT') this.#lose();
    }
  }

  #lose(): void {
    clearInterval(this.#timer);
    const error = new PerantaraError(`cannot keep lock "${this.#path}": another process took it over`, {
      code: 'lock_lost',
      source: 'internal',
      retryable: true,
    });
    this.#lost.abort(error);
  }
}

/** Whether a file stayed the same for as long as it was looked at. */
class Watch {
  readonly #path: string;
  readonly #staleMs: number;
  #seen: string | null = null;
  #since = 0;

  constructor(path: string, staleMs: number) {
    this.#path = path;
    this.#staleMs = staleMs;
  }

  async isStale(): Promise<boolean> {
    const text = await sightOf(this.#path);
    const now = monotonicMs();
    if (text === null || text !== this.#seen) {
      this.#seen = text;
      this.#since = now;
      return false;
    }
    return now - this.#since >= this.#staleMs;
  }
}

/** The owner, then a count of fixed width that every beat changes; then what helps a person who looks. */
function lockText(owner: string, beats: number): string {
  return `${owner} ${String(beats).padStart(10, '0')} pid ${process.pid}\n`;
}

/** Whether the file was made; false when it was there. Throws `storage_unwritable`. */
async function create(path: string, text: string): Promise<boolean> {
  let file: FileHandle;
  try {
    await makeFolder(dirname(path));
  } catch (cause) {
    throw unwritable(dirname(path), cause);
  }
  try {
    file = await open(path, 'wx', 0o600);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw unwritable(path, cause);
  }
  try {
    await file.writeFile(text);
    return true;
  } catch (cause) {
    await remove(path);
    throw unwritable(path, cause);
  } finally {
    await file.close();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** What every beat changes: the text, or the times of a file that may not be read, such as another user's. null: gone. */
async function sightOf(path: string): Promise<string | null> {
  const text = await readText(path);
  if (text !== null) return text;
  const stats = await lstat(path, { bigint: true }).catch(() => null);
  return stats === null ? null : `unreadable ${stats.ino} ${stats.mtimeNs}`;
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

/** Throws `storage_unwritable`: whoever waited for it to go would wait for ever. */
async function clear(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw unwritable(path, cause);
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}
