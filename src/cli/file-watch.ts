// Tells when a file has other content: soon after a change where the file system says so, and looked at now and then besides.
// Editors and Kubernetes put a new file in its place, so its folder is watched; a file that is gone has not changed.
import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

export interface FileWatchOptions {
  /** Between a change and the look, since a file may be written in several steps. Default 250 ms. */
  readonly settleMs?: number;
  /** Looked at this often besides. Default 10 s. */
  readonly lookMs?: number;
}

const SETTLE_MS = 250;
const LOOK_MS = 10_000;

export class FileWatch {
  readonly #path: string;
  readonly #options: FileWatchOptions;
  readonly #onChange: () => void;
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  /** Digest of the content last seen; null: none yet. */
  #seen: string | null;
  #isClosed = false;

  /** What the file has now is no change. */
  constructor(path: string, onChange: () => void, options: FileWatchOptions = {}) {
    this.#path = resolve(path);
    this.#onChange = onChange;
    this.#options = options;
    this.#seen = digestIn(() => readFileSync(this.#path));
  }

  /** Begins to watch. What has changed meanwhile is told at once. */
  async start(): Promise<void> {
    if (this.#isClosed) return;
    const { settleMs = SETTLE_MS, lookMs = LOOK_MS } = this.#options;
    const settle = (): void => {
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => void this.look(), settleMs).unref();
    };
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, settle);
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Not every file system can be watched; the regular look has to do.
    }
    this.#looking = setInterval(() => void this.look(), lookMs).unref();
    await this.look();
  }

  /** Looks now. Never rejects. */
  async look(): Promise<void> {
    const content = await readFile(this.#path).catch(() => null);
    const digest = digestIn(() => content);
    if (this.#isClosed || digest === null || digest === this.#seen) return;
    this.#seen = digest;
    this.#onChange();
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    clearTimeout(this.#settling);
    clearInterval(this.#looking);
  }
}

/** null: there is no file, or it cannot be read. */
function digestIn(read: () => Buffer | null): string | null {
  try {
    const content = read();
    return content === null ? null : createHash('sha256').update(content).digest('base64');
  } catch {
    return null;
  }
}
