// The life of a serving process: start, signals, faults, end. The exit code says how it went.
import { uriHost } from '../core/address.ts';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import type { ServiceNotifier } from './service-notifier.ts';
import type { Terminal } from './terminal.ts';

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** What server/Server offers to the process around it. */
export interface Servable extends Lifecycle {
  /** SIGUSR1: log files have been moved away. */
  reopenLogs(): void;
  readonly addresses: { readonly http: readonly Address[]; readonly https: readonly Address[] };
  /** One short sentence on how it fares. */
  summary?(): string;
  /** SIGHUP came; without it, it is ignored. */
  onHangUp?(): void;
}

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof SIGNAL_CODES;

/** Resolves with the exit code: 0 after an orderly stop, 1 after a failure, 128 + n after a second signal. */
export async function serve(
  createServer: () => Servable,
  log: Logger,
  terminal: Terminal,
  notifier: ServiceNotifier | null = null,
): Promise<number> {
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const server = createServer();
  let stopping = false;
  let faulty = false;
  let started = false;

  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    Promise.all([server.close(), notifier?.stopping()]).then(
      () => end(faulty ? 1 : 0),
      (error: unknown) => {
        log.error({ err: error }, 'shutdown failed');
        end(1);
      },
    );
  };
  const onSignal = (signal: StopSignal): void => {
    if (stopping) {
      log.warn({ signal }, 'second signal: ending now');
      server.destroy();
      end(SIGNAL_CODES[signal]);
      return;
    }
    log.info({ signal }, 'stopping: requests under way are finished first');
    stop();
  };
  const onReload = (): void => {
    if (!started || stopping) log.warn('SIGHUP ignored: not serving yet, or no longer');
    else if (server.onHangUp === undefined) log.warn('SIGHUP ignored: there is no file to load again');
    else server.onHangUp();
  };
  const onFault = (error: unknown): void => {
    // The state is unknown now: finish what is under way and let the service manager start afresh.
    faulty = true;
    log.error({ err: error instanceof Error ? error : new Error(String(error)) }, 'unexpected error: stopping');
    stop();
  };

  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('SIGHUP', onReload);
  process.on('SIGUSR1', () => server.reopenLogs()); // which would open Node's debugger otherwise
  process.on('uncaughtException', onFault).on('unhandledRejection', onFault);
  try {
    await server.start();
    if (stopping) return ended;
    logAddresses(server, log);
    started = true;
    notifier?.serving(() => server.summary?.() ?? 'serving');
  } catch (error) {
    if (!stopping) return failedStart(error, log, terminal);
  }
  return ended;
}

function logAddresses(server: Servable, log: Logger): void {
  const { http, https } = server.addresses;
  for (const [protocol, list] of Object.entries({ http, https }))
    for (const { address, port } of list) {
      log.info({ protocol, address: `${uriHost(address)}:${port}` }, 'listening');
    }
}

/** An operator's mistake is one plain sentence; anything else keeps its stack. */
function failedStart(error: unknown, log: Logger, terminal: Terminal): number {
  if (error instanceof PerantaraError && error.source === 'operator') terminal.err(`${messageOf(error)}\n`);
  else log.error({ err: error, code: codeOf(error) }, 'start failed');
  return 1;
}
