// The access log in force, and how another takes its place at a reload: the new one is open before the old one is let go, so
// that no exchange goes without its line.
import { isDeepStrictEqual } from 'node:util';
import type { AccessLogConfig } from '../config/config.ts';
import { AccessLog, type AccessLogServices } from '../observe/access-log.ts';

/** A log that has been opened and is not listening yet. */
export interface AccessLogChange {
  commit(): void;
  abandon(): void;
}

export class AccessLogging {
  readonly #services: AccessLogServices;
  #config: AccessLogConfig | null = null;
  #log: AccessLog | null = null;
  /** Of those that write their last lines. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(services: AccessLogServices) {
    this.#services = services;
  }

  /** Throws PerantaraError `access_log_open`; nothing has changed then. */
  prepare(config: AccessLogConfig | null): AccessLogChange {
    if (isDeepStrictEqual(config, this.#config)) return { commit: () => {}, abandon: () => {} };
    const log = config === null ? null : new AccessLog(config, this.#services);
    log?.open();
    return {
      commit: () => {
        const former = this.#log;
        this.#config = config;
        this.#log = log;
        log?.listen();
        this.#end(former);
      },
      abandon: () => this.#end(log),
    };
  }

  /** Goes on in a new file: the old one has been moved away. */
  reopen(): void {
    this.#log?.reopen();
  }

  /** Resolves when all lines are written, or cannot be. Idempotent. */
  async close(): Promise<void> {
    this.#end(this.#log);
    await this.#ending;
  }

  #end(log: AccessLog | null): void {
    if (log !== null) this.#ending = Promise.all([this.#ending, log.close()]);
  }
}
