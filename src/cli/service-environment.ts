// What a service manager tells the process it starts by environment variables: the sockets that it passes (sd_listen_fds(3)),
// and where it wants to hear how that fares (sd_notify(3)). They are taken out of the environment, since what they say is wrong for every program that is started from here.
import type { ListenConfig } from '../config/config.ts';
import type { Logger } from '../core/log.ts';
import { InheritedSockets, type PassedDescriptors, showInherited } from '../server/inherited-sockets.ts';
import type { NotifyEnvironment } from './service-notifier.ts';
import type { Terminal } from './terminal.ts';

export interface ServiceEnvironment {
  readonly passed: PassedDescriptors;
  readonly notify: NotifyEnvironment;
}

const NAMES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/** More help nobody: the count of them is wrong. */
const MAX_TOLD = 10;

export function takeServiceEnvironment({ env }: Pick<Terminal, 'env'>): ServiceEnvironment {
  const passed = { pid: env.LISTEN_PID, count: env.LISTEN_FDS, names: env.LISTEN_FDNAMES };
  const notify = {
    socket: env.NOTIFY_SOCKET,
    watchdogUsec: env.WATCHDOG_USEC,
    watchdogPid: env.WATCHDOG_PID,
    path: env.PATH,
  };
  for (const name of NAMES) delete process.env[name];
  return { passed, notify };
}

/** The sockets that were passed to this process. What of them nobody is served through is said in the log. */
export function findInherited(passed: PassedDescriptors, listen: ListenConfig, log: Logger): InheritedSockets {
  const inherited = InheritedSockets.find(passed, process.pid);
  if (passed.count !== undefined && passed.pid !== String(process.pid))
    log.info({ pid: passed.pid }, 'sockets not used: LISTEN_PID says that they were passed to another process');
  const { problems } = inherited;
  for (const problem of problems.slice(0, MAX_TOLD)) log.warn({ problem }, 'inherited descriptor not used');
  if (problems.length > MAX_TOLD) log.warn({ more: problems.length - MAX_TOLD }, 'inherited descriptors not used');
  for (const socket of inherited.unused(listen)) {
    const { fd, name } = socket;
    log.warn(
      { fd, name, address: showInherited(socket) },
      'inherited socket not used: "listen" has no entry of its very address',
    );
  }
  return inherited;
}
