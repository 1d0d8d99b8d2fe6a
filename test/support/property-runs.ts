// How long property tests run: PROPERTY_RUNS=20 runs each twenty times as often, PROPERTY_SEED repeats a failed run.
import type { Parameters } from 'fast-check';

const { PROPERTY_RUNS = '1', PROPERTY_SEED } = process.env;

/** Parameters for fc.assert; `usual`: how many cases `npm test` tries. On failure fast-check prints seed and path. */
export function runs<T>(usual: number): Parameters<T> {
  const numRuns = Math.max(1, Math.round(usual * Number(PROPERTY_RUNS)));
  return PROPERTY_SEED === undefined ? { numRuns } : { numRuns, seed: Number(PROPERTY_SEED) };
}
