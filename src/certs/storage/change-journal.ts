// How processes that share a storage learn what another one has stored: each keeps one small value of its own,
// `changes/<writer>.json`, with what it changed last; the others look at these every few seconds. One writer per value,
// so no lock; the cost grows with the number of changes, not of names.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Storage } from './storage.ts';

/** Changes that a value names; who looks too late for that looks at everything. */
const MAX_NAMED = 500;
/** Values of writers that have been silent for longer are removed. */
const FORGOTTEN_AFTER_MS = 2 * 86_400_000;

const pageSchema = z.object({
  /** When its writer last wrote. */
  at: z.number(),
  /** Changes so far; the last of `keys` has this number. */
  count: z.int().nonnegative(),
  keys: z.array(z.string()),
});

export type Changes = ReadonlySet<string> | 'many';

export interface ChangeJournalOptions {
  readonly storage: Storage;
  readonly log: Logger;
  readonly clock: Clock;
}

export class ChangeJournal {
  readonly #options: ChangeJournalOptions;
  readonly #own = `changes/${randomUUID()}.json`;
  readonly #recent: string[] = [];
  #count = 0;
  #writing: Promise<void> = Promise.resolve();
  #written = 0;
  /** Value → changes seen in it; null before the first look. */
  #seen: Map<string, number> | null = null;

  constructor(options: ChangeJournalOptions) {
    this.#options = options;
  }

  /**
   * Tells the others that what lies at `key` (mostly a certificate's folder) changed. Resolves when they can see it. Never
   * rejects: who misses a change finds it at its own next turn.
   */
  async note(key: string): Promise<void> {
    this.#recent.push(key);
    if (this.#recent.length > MAX_NAMED) this.#recent.shift();
    this.#count++;
    // Many that change at once need few writes.
    this.#writing = this.#writing.then(() => (this.#written === this.#count ? undefined : this.#write()));
    await this.#writing;
  }

  /** What others changed since the last look; at the first look nothing, as everything has just been read. Never rejects. */
  async look(): Promise<Changes> {
    const { storage, log } = this.#options;
    const isFirst = this.#seen === null;
    const seen = this.#seen ?? new Map<string, number>();
    this.#seen = seen;
    const changed = new Set<string>();
    let many = false;
    try {
      const values = await storage.list('changes');
      for (const value of seen.keys()) if (!values.includes(value)) seen.delete(value);
      for (const value of values) {
        if (value === this.#own) continue;
        const page = await this.#read(value);
        if (page === null) continue;
        const fresh = page.count - (seen.get(value) ?? 0);
        seen.set(value, page.count);
        if (isFirst || fresh <= 0) continue;
        if (fresh > page.keys.length) many = true;
        else for (const key of page.keys.slice(-fresh)) changed.add(key);
      }
    } catch (error) {
      log.debug({ err: error }, 'changes by other processes not read');
    }
    return many ? 'many' : changed;
  }

  async #write(): Promise<void> {
    const { storage, log, clock } = this.#options;
    this.#written = this.#count;
    const page = { at: clock.now(), count: this.#count, keys: this.#recent };
    try {
      await storage.store(this.#own, `${JSON.stringify(page)}\n`);
    } catch (error) {
      log.warn({ err: error }, 'change not told to other processes');
    }
  }

  /** null when it cannot be read, or is so old that it was removed. */
  async #read(value: string): Promise<z.infer<typeof pageSchema> | null> {
    const { storage, clock } = this.#options;
    const text = await storage.load(value);
    if (text === null) return null;
    let page: z.infer<typeof pageSchema>;
    try {
      page = pageSchema.parse(JSON.parse(text));
    } catch {
      return null;
    }
    if (Math.abs(clock.now() - page.at) <= FORGOTTEN_AFTER_MS) return page;
    await storage.delete(value);
    return null;
  }
}
