// One piece of work, its caller's signal and a longest time, as one signal.
import type { PerantaraError } from '../../core/errors.ts';

/** Resolves or rejects as `work` does; rejects with `late()` when the time was over first, with the signal's reason when it aborted. */
export async function withinTime<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => PerantaraError,
): Promise<T> {
  signal.throwIfAborted();
  const limit = AbortSignal.timeout(limitMs);
  try {
    return await work(AbortSignal.any([signal, limit]));
  } catch (error) {
    signal.throwIfAborted();
    throw limit.aborted ? late() : error;
  }
}
