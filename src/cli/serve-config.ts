// From a loaded configuration to a serving process: what `run` and `proxy` have in common.
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { serve } from './serve.ts';
import type { ConfigOrigin } from './serving-process.ts';
import type { Terminal } from './terminal.ts';

/** Resolves with the exit code when serving has ended. `origin`: null, it came from no file, and nobody is to ask it. */
export async function serveConfig(
  { config, warnings }: { readonly config: Config; readonly warnings: readonly Problem[] },
  origin: ConfigOrigin | null,
  log: Logger,
  terminal: Terminal,
): Promise<number> {
  const { ServingProcess, tellWarnings } = await import('./serving-process.ts');
  const { Server } = await import('../server/server.ts');
  tellWarnings(warnings, log);
  return origin === null
    ? serve(() => new Server(config, { log, clock: systemClock }), log, terminal)
    : serve(() => new ServingProcess(config, origin, log), log, terminal);
}
