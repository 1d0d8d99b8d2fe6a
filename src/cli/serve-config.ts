// From a loaded configuration to a serving process: what `run` and `proxy` have in common.
import type { Config } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { explainProblem, type Problem, positionOf } from '../config/problem.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { ConfigReload, type Reloadable } from './config-reload.ts';
import { FileWatch } from './file-watch.ts';
import { type Company, serve } from './serve.ts';
import type { Terminal } from './terminal.ts';

/** Where the configuration came from, so that it can be loaded again. */
export interface ConfigOrigin {
  readonly file: string;
  readonly load: () => LoadResult;
  /** Whether a change of the file is enough. */
  readonly watch: boolean;
}

/** Resolves with the exit code when serving has ended. `origin`: null, it came from no file. */
export async function serveConfig(
  { config, warnings }: { readonly config: Config; readonly warnings: readonly Problem[] },
  origin: ConfigOrigin | null,
  log: Logger,
  terminal: Terminal,
): Promise<number> {
  for (const warning of warnings)
    log.warn({ position: positionOf(warning), problem: explainProblem(warning) }, 'configuration warning');
  const { Server } = await import('../server/server.ts');
  const accompany = origin === null ? undefined : (server: Reloadable) => reloading(server, origin, log);
  return serve(() => new Server(config, { log, clock: systemClock }), log, terminal, accompany);
}

function reloading(server: Reloadable, { file, load, watch }: ConfigOrigin, log: Logger): Company {
  const reload = new ConfigReload(load, server, log);
  const fileWatch = watch ? new FileWatch(file, () => void reload.run('file')) : null;
  void fileWatch?.start();
  return { onReload: () => void reload.run('signal'), close: () => fileWatch?.close() };
}
