// From a loaded configuration to a serving process: what `run` and `proxy` have in common.
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Flags } from './flags.ts';
import { isPretty, loggerFor } from './log-flags.ts';
import { changeOfUser } from './privileges.ts';
import { serve } from './serve.ts';
import { findInherited, takeServiceEnvironment } from './service-environment.ts';
import { ServiceNotifier } from './service-notifier.ts';
import type { ConfigOrigin } from './serving-process.ts';
import type { Terminal } from './terminal.ts';

/** Resolves with the exit code when serving has ended. `origin`: null, it came from no file, and nobody is to ask it. */
export async function serveConfig(
  { config, warnings }: { readonly config: Config; readonly warnings: readonly Problem[] },
  origin: ConfigOrigin | null,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const { ServingProcess, tellWarnings } = await import('./serving-process.ts');
  const { Server } = await import('../server/server.ts');
  const { crewFor } = await import('./workers.ts');
  const log = loggerFor(flags, terminal);
  tellWarnings(warnings, log);
  const createCrew = await crewFor(config, isPretty(flags, terminal));
  const { passed, notify } = takeServiceEnvironment(terminal);
  let becomeUser: (() => void) | null;
  try {
    becomeUser = changeOfUser(config.user, config.storage);
  } catch (error) {
    terminal.err(`${messageOf(error)}\n`);
    return 1;
  }
  const inherited = findInherited(passed, config.listen, log);
  const notifier = new ServiceNotifier(notify, log);
  const onListening = (): void => {
    becomeUser?.();
    log.info({ user: config.user?.name }, 'root given up');
  };
  const services = {
    log,
    clock: systemClock,
    inherited,
    ...(createCrew === undefined ? {} : { createCrew }),
    ...(becomeUser === null ? {} : { onListening }),
  };
  return serve(
    () => (origin === null ? new Server(config, services) : new ServingProcess(config, origin, services, notifier)),
    log,
    terminal,
    notifier,
  );
}
