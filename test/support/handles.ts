// What keeps this process alive, counted: sockets, pipes and timers, not listeners. For the question whether any were left behind.
import assert from 'node:assert/strict';

const COUNTED = /^(TCPSocket|TLS|Pipe|Timeout)/;
const PATIENCE_MS = 5_000;

export type Handles = Readonly<Record<string, number>>;

export function liveHandles(): Handles {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo().sort()) {
    if (COUNTED.test(name)) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Resolves when the counts are those of before; rejects with the difference when they never are. Closing takes a moment. */
export async function handlesBackTo(before: Handles): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const isSame = (): boolean => JSON.stringify(liveHandles()) === JSON.stringify(before);
  while (!isSame() && !patience.aborted) await new Promise(setImmediate);
  assert.deepEqual(liveHandles(), before, 'handles were left behind');
}
