// Whether requests are answered in this process or by workers in their own, as the configuration has it.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { CreateCrew } from '../server/crew.ts';

/** undefined: in this process. `isPretty`: of the lines that workers log. */
export async function crewFor({ workers }: Config, isPretty: boolean): Promise<CreateCrew | undefined> {
  const count = workers === 'auto' ? availableParallelism() : workers;
  if (count === 1) return undefined;
  const { ProcessCrew } = await import('../cluster/process-crew.ts');
  const path = fileURLToPath(import.meta.url).replace(/workers(\.[jt]s)$/, 'worker-main$1');
  const options = { workers: count, program: { path, arguments: [isPretty ? 'pretty' : 'json'] } };
  return (config, services) => new ProcessCrew(config, services, options);
}
