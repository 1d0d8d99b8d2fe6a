// The figures of one run of the benchmark, as kept in .cache/bench.json, and what is made of them.
import type { Sample } from './bench-case.ts';
import type { CaseName } from './cases.ts';
import type { ContestantName } from './contestants/contestant.ts';
import type { Machine } from './machine.ts';

export interface Result {
  readonly case: CaseName;
  readonly contestant: ContestantName;
  readonly samples: readonly Sample[];
}

export interface Results {
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly machine: Machine;
  readonly repeats: number;
  readonly seconds: number;
  readonly origin: string;
  readonly contestants: readonly {
    readonly name: ContestantName;
    readonly version: string;
    readonly setting: string;
  }[];
  /** Programs that made the load: name and version. */
  readonly tools: readonly string[];
  /** What was left out, and why. */
  readonly missing: readonly string[];
  readonly results: readonly Result[];
}

export type Figure = 'cpuUs' | 'perSecond' | 'p50Us' | 'p99Us' | 'rssBytes' | 'bytesPerConnection';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** null when the case, the contestant or the figure was not measured. */
export function figureOf(
  { results }: Results,
  caseName: CaseName,
  contestant: ContestantName,
  figure: Figure,
): Spread | null {
  const result = results.find((candidate) => candidate.case === caseName && candidate.contestant === contestant);
  const values = (result?.samples ?? []).map((sample) => sample[figure]).filter((value) => value !== null);
  return values.length === 0 ? null : spreadOf(values);
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)]!;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]!;
  return { median: (upper + lower) / 2, min: sorted[0]!, max: sorted.at(-1)! };
}
