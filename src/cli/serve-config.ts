// From a loaded configuration to a serving process: what `run` and `proxy` have in common.
import type { Config } from '../config/config.ts';
import { explainProblem, type Problem, positionOf } from '../config/problem.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { serve } from './serve.ts';
import type { Terminal } from './terminal.ts';

/** Resolves with the exit code when serving has ended. */
export async function serveConfig(
  config: Config,
  warnings: readonly Problem[],
  log: Logger,
  terminal: Terminal,
): Promise<number> {
  for (const warning of warnings)
    log.warn({ position: positionOf(warning), problem: explainProblem(warning) }, 'configuration warning');
  const { Server } = await import('../server/server.ts');
  return serve(() => new Server(config, { log, clock: systemClock }), log, terminal);
}
