// A process that serves a configuration file: the server, the admin endpoint beside it, and the ways to another
// configuration – a signal, a change of the file, the admin endpoint – which all lead through one door.
import { resolve } from 'node:path';
import { AdminEndpoint } from '../admin/admin-endpoint.ts';
import type { AdminServices } from '../admin/admin-services.ts';
import type { Config } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { explainProblem, type Problem, positionOf } from '../config/problem.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { type ReloadResult, refusedReload } from '../server/reload-result.ts';
import { Server, type ServerServices } from '../server/server.ts';
import { FileWatch } from './file-watch.ts';
import type { Servable } from './serve.ts';
import type { ServiceNotifier } from './service-notifier.ts';
import { packageVersion } from './version.ts';

/** Where the configuration came from, so that it can be loaded again. */
export interface ConfigOrigin {
  /** As it was written on the command line, or found. */
  readonly file: string;
  readonly load: () => LoadResult;
  /** Whether a change of the file is enough. */
  readonly watch: boolean;
}

type Cause = 'signal' | 'file' | 'admin';

export class ServingProcess implements Servable {
  readonly #origin: ConfigOrigin;
  readonly #log: Logger;
  readonly #notifier: ServiceNotifier | null;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #admin: AdminEndpoint;
  readonly #watch: FileWatch | null;
  readonly #startedAt: number;
  #loadedAt: number;
  readonly #reloads = { accepted: 0, refused: 0 };
  #lastReload: { readonly at: number; readonly accepted: boolean; readonly message: string | null } | null = null;
  /** One after another, each with the file as it is when its turn comes. */
  #reloading: Promise<unknown> = Promise.resolve();
  /** The one whose turn has not come. */
  #nextReload: Promise<ReloadResult> | null = null;

  constructor(config: Config, origin: ConfigOrigin, services: ServerServices, notifier: ServiceNotifier | null = null) {
    this.#notifier = notifier;
    const { log, clock } = services;
    this.#origin = origin;
    this.#log = log;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#loadedAt = this.#startedAt;
    this.#server = new Server(config, services);
    this.#admin = new AdminEndpoint(config.admin, this.#services());
    this.#watch = origin.watch ? new FileWatch(origin.file, () => this.#reload('file')) : null;
  }

  get addresses(): Server['addresses'] {
    return this.#server.addresses;
  }

  async start(): Promise<void> {
    await this.#server.start();
    try {
      await this.#admin.start();
      await this.#watch?.start();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** The admin endpoint answers for as long as requests are being finished. */
  async close(): Promise<void> {
    this.#watch?.close();
    await this.#server.close();
    await this.#admin.close();
  }

  destroy(reason?: Error): void {
    this.#watch?.close();
    this.#server.destroy(reason);
    this.#admin.destroy();
  }

  reopenLogs(): void {
    this.#server.reopenLogs();
  }

  onHangUp(): void {
    void this.#reload('signal');
  }

  /** `serving 12 sites, 11 certificates valid` */
  summary(): string {
    const { config } = this.#server;
    const certificates = [...this.#server.certificates()];
    const valid = certificates.filter(({ state }) => state === 'valid').length;
    const serving = `serving ${counted(config.sites.length, 'site')}, ${counted(valid, 'certificate')} valid`;
    const { accepted = true, message } = this.#lastReload ?? {};
    return accepted ? serving : `${serving}; last reload refused: ${message}`;
  }

  /** Never rejects: what goes wrong inside refuses the configuration too. The log and the caller are told the same. */
  #reload(cause: Cause): Promise<ReloadResult> {
    if (this.#nextReload !== null) return this.#nextReload; // which has yet to read the file
    const result = this.#reloading.then(async () => {
      this.#nextReload = null;
      this.#notifier?.reloading();
      const outcome = await this.#attempt();
      const at = this.#clock.now();
      if (outcome.accepted) this.#loadedAt = at;
      this.#reloads[outcome.accepted ? 'accepted' : 'refused']++;
      this.#lastReload = { at, accepted: outcome.accepted, message: outcome.accepted ? null : outcome.message };
      this.#tell(cause, outcome);
      this.#notifier?.ready(() => this.summary());
      return outcome;
    });
    this.#reloading = result;
    this.#nextReload = result;
    return result;
  }

  async #attempt(): Promise<ReloadResult> {
    try {
      const loaded = this.#origin.load();
      if (!loaded.ok) {
        const { problems } = loaded;
        const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
        return refusedReload(`cannot use the new configuration: ${count}`, problems);
      }
      const before = this.#server.config.admin;
      await this.#admin.adopt(loaded.config.admin);
      const result = await this.#server.reload(loaded.config, loaded.warnings);
      if (!result.accepted) await this.#admin.adopt(before);
      return result;
    } catch (error) {
      return refusedReload(messageOf(error));
    }
  }

  #tell(cause: Cause, result: ReloadResult): void {
    if (!result.accepted) {
      const problems = result.problems.map((problem) => `${positionOf(problem)}: ${explainProblem(problem)}`);
      this.#log.error({ cause, problems, reason: result.message }, 'configuration refused, the one before stays');
      return;
    }
    tellWarnings(result.warnings, this.#log);
    const { generation, changes } = result;
    const counts = Object.fromEntries(Object.entries(changes).map(([what, names]) => [what, names.length]));
    this.#log.info({ cause, generation, ...counts }, 'configuration in force');
  }

  async #metrics(): ReturnType<AdminServices['metrics']> {
    const server = this.#server;
    const { together, workers: running, restarts } = await server.metrics();
    const primary = {
      version: packageVersion(),
      node: process.version,
      startedAt: this.#startedAt,
      config: { generation: server.generation, loadedAt: this.#loadedAt, sites: server.config.sites.length },
      reloads: { ...this.#reloads, last: this.#lastReload },
      workers: { running, restarts },
      certificates: server.certificateGauges(),
    };
    return { workers: together, primary };
  }

  #services(): AdminServices {
    const server = this.#server;
    const { file } = this.#origin;
    const path = resolve(file);
    return {
      log: this.#log,
      setLogLevel: (level) => server.setLogLevel(level),
      clock: this.#clock,
      version: packageVersion(),
      startedAt: this.#startedAt,
      config: () => server.config,
      certificates: () => server.certificates(),
      reports: () => server.reports(),
      drainTarget: (name, isDrained) => server.drainTarget(name, isDrained),
      metrics: () => this.#metrics(),
      reload: () => this.#reload('admin'),
      serving: () => ({
        state: server.state,
        config: { file, path, generation: server.generation, loadedAt: this.#loadedAt },
        lastReload: this.#lastReload,
        listeners: listenersOf(server),
      }),
    };
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export function tellWarnings(warnings: readonly Problem[], log: Logger): void {
  for (const warning of warnings)
    log.warn({ position: positionOf(warning), problem: explainProblem(warning) }, 'configuration warning');
}

function listenersOf(server: Server) {
  if (server.state !== 'serving') return [];
  const { http, https } = server.addresses;
  return [
    ...http.map(({ address, port }) => ({ protocol: 'http' as const, address, port })),
    ...https.map(({ address, port }) => ({ protocol: 'https' as const, address, port })),
  ];
}
