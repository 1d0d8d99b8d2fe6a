// What came of loading the configuration again: in force as a whole, or refused as a whole. Plain data, safe as JSON.
import type { Problem } from '../config/problem.ts';

/** What the new configuration did to the old one. Names in the order of the file; listeners as `https 0.0.0.0:443`. */
export interface ReloadChanges {
  readonly sitesAdded: readonly string[];
  readonly sitesRemoved: readonly string[];
  readonly sitesChanged: readonly string[];
  readonly listenersOpened: readonly string[];
  readonly listenersClosed: readonly string[];
}

export interface AcceptedReload {
  readonly accepted: true;
  /** Counts the configurations of this process; the one it started with is 1. */
  readonly generation: number;
  readonly changes: ReloadChanges;
  readonly warnings: readonly Problem[];
}

export interface RefusedReload {
  readonly accepted: false;
  /** All mistakes of the file, sorted; empty when the file is good and the process could not follow it. */
  readonly problems: readonly Problem[];
  /** One sentence that stands by itself: `cannot use the new configuration: 2 problems`, or which listener cannot be opened. */
  readonly message: string;
}

export type ReloadResult = AcceptedReload | RefusedReload;

export function refusedReload(message: string, problems: readonly Problem[] = []): RefusedReload {
  return { accepted: false, problems, message };
}
