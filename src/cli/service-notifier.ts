// Tells the service manager how the process fares (sd_notify(3)) and that it still turns. Node has no datagram sockets of the unix
// family, so the program `systemd-notify` sends each message: a few milliseconds now and then, and a unit with NotifyAccess=all.
// Trouble with it is said once and changes nothing else.
import { spawn } from 'node:child_process';
import { codeOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** Values of `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, and of `PATH`, where the program is looked for. */
export interface NotifyEnvironment {
  readonly socket: string | undefined;
  readonly watchdogUsec: string | undefined;
  readonly watchdogPid: string | undefined;
  readonly path: string | undefined;
}

/** No message waits longer for whoever reads it. */
const SEND_MS = 10_000;
/** A process that has nothing else to do ends after this at the latest. */
const LAST_WORD_MS = 1_000;
/** How often it is looked whether the status is another. */
const STATUS_MS = 30_000;
/** More often nobody is told: each time a program is started. */
const MIN_BEAT_MS = 500;
const MAX_STATUS_CHARS = 300;

export class ServiceNotifier {
  readonly #environment: NotifyEnvironment;
  readonly #log: Logger;
  readonly #isWanted: boolean;
  readonly #timers: NodeJS.Timeout[] = [];
  #sending: Promise<void> = Promise.resolve();
  #status = '';
  #hasFailed = false;
  #isStopping = false;

  constructor(environment: NotifyEnvironment, log: Logger) {
    const { socket } = environment;
    this.#environment = environment;
    this.#log = log;
    this.#isWanted = socket !== undefined && /^[/@]./.test(socket);
    if (socket !== undefined && socket !== '' && !this.#isWanted)
      log.warn({ socket }, 'service manager is not told anything: NOTIFY_SOCKET is no path and no abstract name');
  }

  /** From here on the watchdog is served, and `status` looked at now and then. */
  serving(status: () => string): void {
    if (!this.#isWanted) return;
    this.ready(status);
    this.#every(STATUS_MS, () => {
      const text = oneLine(status());
      if (text !== this.#status) this.#tell(text, []);
    });
    const beatMs = beatOf(this.#environment, process.pid);
    // Of the event loop: when that does not turn, nobody is told that it does.
    if (beatMs !== null) this.#every(beatMs, () => this.#send(['WATCHDOG=1']));
  }

  ready(status: () => string): void {
    if (this.#isWanted && !this.#isStopping) this.#tell(oneLine(status()), ['READY=1']);
  }

  reloading(): void {
    if (this.#isStopping) return;
    // The clock that systemd compares with: CLOCK_MONOTONIC.
    this.#send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`]);
  }

  /**
   * Nothing else is told from here on: a reload under way may end, and changes nothing any more. Resolves when this has been
   * told, or nobody takes it within a second.
   */
  async stopping(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#tell('finishing the requests under way', ['STOPPING=1']);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_WORD_MS);
    await Promise.race([this.#sending, late]);
    clearTimeout(timer);
  }

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms).unref());
  }

  #tell(status: string, assignments: readonly string[]): void {
    this.#status = status;
    this.#send([...assignments, `STATUS=${status}`]);
  }

  /** One datagram; one after the other. */
  #send(assignments: readonly string[]): void {
    if (this.#isWanted) this.#sending = this.#sending.then(() => this.#run(assignments));
  }

  #run(assignments: readonly string[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const env = { PATH: this.#environment.path, NOTIFY_SOCKET: this.#environment.socket };
    const child = spawn('systemd-notify', ['--', ...assignments], { env, stdio: 'ignore', timeout: SEND_MS });
    child.unref();
    child.on('error', (error) => {
      this.#fail(codeOf(error) === 'ENOENT' ? 'the program systemd-notify is not there' : error.message);
      resolve();
    });
    child.on('exit', (code, signal) => {
      if (code === 0) this.#hasFailed = false;
      else this.#fail(`systemd-notify ended with ${signal ?? code}`);
      resolve();
    });
    return promise;
  }

  #fail(reason: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#log.warn({ reason }, 'service manager cannot be told how this process fares');
  }
}

/** Milliseconds between two signs of life: half of what is allowed. null: none are wanted of this process. */
export function beatOf({ watchdogUsec, watchdogPid }: NotifyEnvironment, pid: number): number | null {
  if (watchdogUsec === undefined || !/^\d{1,15}$/.test(watchdogUsec) || Number(watchdogUsec) === 0) return null;
  if (watchdogPid !== undefined && watchdogPid !== String(pid)) return null;
  return Math.min(Math.max(Number(watchdogUsec) / 2_000, MIN_BEAT_MS), 2 ** 31 - 1);
}

/** A line end would begin another assignment. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, MAX_STATUS_CHARS);
}
