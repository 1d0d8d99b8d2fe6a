// Workers in processes of their own for a server of a test.
import { resolve } from 'node:path';
import { ProcessCrew } from '../../src/cluster/process-crew.ts';
import type { SlotPatience } from '../../src/cluster/worker-slot.ts';
import type { CreateCrew } from '../../src/server/crew.ts';

export const WORKER_PROGRAM = resolve(import.meta.dirname, '../../src/cli/worker-main.ts');

export interface ProcessCrewRig {
  readonly workers?: number;
  readonly patience?: Partial<SlotPatience>;
  /** Default the real one. */
  readonly program?: string;
}

export function processCrew({ workers = 2, patience = {}, program = WORKER_PROGRAM }: ProcessCrewRig = {}): CreateCrew {
  const options = { workers, patience, program: { path: program, arguments: ['json'] } };
  return (config, services) => new ProcessCrew(config, services, options);
}
