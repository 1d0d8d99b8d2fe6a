// The last errors in the words of whoever made them. One that comes again before long is the same entry with a higher count; there
// are never more than a hundred entries, and none is long.
import { printable } from '../../core/printable.ts';

export const MAX_ERRORS = 100;
const MAX_TEXT = 300;
/** What comes again after so long has begun anew: `firstAt` is to say when the trouble at hand began. */
const PAUSE_MS = 600_000;

/** Times in milliseconds since the epoch. */
export interface RecentError {
  /** As the configuration has them, or null. */
  readonly site: string | null;
  readonly route: string | null;
  readonly target: string | null;
  /** Stable: `connect_failed`, or `status_503` for an answer of the target's own. */
  readonly code: string;
  /** Safe to print, at most 300 characters. */
  readonly message: string;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

type Words = Pick<RecentError, 'site' | 'route' | 'target' | 'code' | 'message'>;

export class RecentErrors {
  /** Those that came last are last. */
  readonly #entries = new Map<string, RecentError>();

  add(given: Words, at: number): void {
    const words = { ...given, message: shortened(given.message) };
    const key = keyOf(words);
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    this.#entries.set(
      key,
      known === undefined || at - known.lastAt > PAUSE_MS
        ? { ...words, count: 1, firstAt: at, lastAt: at }
        : { ...known, count: known.count + 1, lastAt: at },
    );
    if (this.#entries.size > MAX_ERRORS) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** Newest first. */
  read(): readonly RecentError[] {
    return [...this.#entries.values()].reverse();
  }
}

/** Newest first, those with the same words as one. */
export function errorsTogether(lists: readonly (readonly RecentError[])[]): readonly RecentError[] {
  const entries = new Map<string, RecentError>();
  for (const entry of lists.flat()) {
    const key = keyOf(entry);
    const known = entries.get(key);
    if (known === undefined) entries.set(key, entry);
    else
      entries.set(key, {
        ...known,
        count: known.count + entry.count,
        firstAt: Math.min(known.firstAt, entry.firstAt),
        lastAt: Math.max(known.lastAt, entry.lastAt),
      });
  }
  return [...entries.values()].sort((a, b) => b.lastAt - a.lastAt).slice(0, MAX_ERRORS);
}

function keyOf({ site, route, target, code, message }: Words): string {
  return `${site}\n${route}\n${target}\n${code}\n${message}`;
}

function shortened(message: string): string {
  const text = printable(message);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
