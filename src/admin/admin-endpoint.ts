// The admin endpoint for the life of the process: at the place that the configuration names, at another when that changes.
// Without it sites are served as well: only a place that somebody wrote and that cannot be had is a reason not to start.
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AdminConfig } from '../config/config.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import { makeFolder } from '../core/make-folder.ts';
import type { AdminDesk } from './admin-handler.ts';
import { type AdminPatience, AdminServer } from './admin-server.ts';
import type { AdminServices } from './admin-services.ts';
import { CertificateDigest } from './certificate-digest.ts';
import { DashboardFiles } from './dashboard-files.ts';
import { listenOnLoopback, showLoopback } from './loopback.ts';
import { SocketFile } from './socket-file.ts';

export interface AdminEndpointOptions {
  readonly patience?: Partial<AdminPatience>;
  /** How often it is looked whether a socket is still in its place, or can be had by now. Default 5 s. */
  readonly lookMs?: number;
}

const LOOK_MS = 5_000;

type SocketConfig = Extract<AdminConfig, { kind: 'socket' }>;

interface OpenPlace {
  readonly server: AdminServer;
  /** null on a loopback address. */
  readonly file: SocketFile | null;
  /** A path, or `127.0.0.1:2019`. */
  readonly place: string;
}

export class AdminEndpoint implements Lifecycle {
  readonly #services: AdminServices;
  readonly #desk: AdminDesk;
  readonly #options: AdminEndpointOptions;
  /** Those that finish their last answers. */
  readonly #former = new Set<AdminServer>();
  #config: AdminConfig | null;
  #open: OpenPlace | null = null;
  #state: 'new' | 'started' | 'closed' = 'new';
  #timer: NodeJS.Timeout | undefined;
  /** One move after the other. */
  #move: Promise<void> = Promise.resolve();

  constructor(config: AdminConfig | null, services: AdminServices, options: AdminEndpointOptions = {}) {
    this.#config = config;
    this.#services = services;
    this.#desk = { services, digest: new CertificateDigest(services), dashboard: new DashboardFiles() };
    this.#options = options;
  }

  /** Where it answers now: a path, or `127.0.0.1:2019`; null: nowhere. */
  get place(): string | null {
    return this.#open?.place ?? null;
  }

  /** Rejects with PerantaraError `admin_failed` when a place that somebody wrote cannot be opened. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    await this.#inTurn(() => this.#enter(this.#config));
    this.#lookLater();
  }

  /**
   * Moves to where another configuration wants it: the new place is open before the old one closes, and answers under way
   * there are finished. Rejects as `start` does, and stays where it is then.
   */
  async adopt(config: AdminConfig | null): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#state === 'started' && !this.#isAt(config)) await this.#enter(config);
      this.#config = config;
    });
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#leaveFor(null);
    await this.#move;
    await Promise.all([...this.#former].map((server) => server.close()));
  }

  destroy(): void {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#leaveFor(null);
    for (const server of this.#former) server.destroy();
  }

  /** Whether nothing has to be opened; a new token holds from here on. */
  #isAt(config: AdminConfig | null): boolean {
    const before = this.#config;
    if (config === null || before === null) return config === before;
    if (this.#open === null) return false;
    if (config.kind === 'socket') return before.kind === 'socket' && `${config.paths}` === `${before.paths}`;
    if (before.kind === 'socket' || config.host !== before.host || config.port !== before.port) return false;
    this.#open.server.rules = { ...this.#open.server.rules, token: config.token };
    return true;
  }

  async #enter(config: AdminConfig | null): Promise<void> {
    if (config === null) return this.#leaveFor(null);
    await this.#desk.dashboard.load(this.#services.log);
    if (config.kind === 'loopback') {
      const server = this.#newServer();
      const port = await listenOnLoopback(server.http, config);
      server.rules = { token: config.token, port };
      return this.#leaveFor({ server, file: null, place: showLoopback(config.host, port) });
    }
    const { taken, failure } = await this.#enterSocket(config);
    if (this.#state !== 'started' || this.#isOpenAt(config)) return;
    if (taken === null && !config.isDefault) throw failure;
    this.#leaveFor(null);
    const { log } = this.#services;
    if (taken !== null)
      log.warn(
        { socket: taken },
        'no admin endpoint: another process answers at its socket; tried again until that ends',
      );
    else
      log.warn(
        { err: failure },
        'no admin endpoint: sites are served without; "admin" in the configuration names another place',
      );
  }

  #isOpenAt({ paths }: SocketConfig): boolean {
    return this.#open !== null && paths.includes(this.#open.place);
  }

  /** At the first path that can be had; else tells why at none. */
  async #enterSocket(config: SocketConfig): Promise<{ readonly taken: string | null; readonly failure: unknown }> {
    let taken: string | null = null;
    let failure: unknown = null;
    for (const path of config.paths) {
      if (path === this.#open?.place) break;
      if (config.isDefault && path !== config.paths.at(-1) && !(await isWritable(dirname(path)))) continue;
      const server = this.#newServer();
      try {
        if (config.isDefault) await makeFolder(dirname(path)); // that of a storage where nothing was stored yet
        const file = await SocketFile.open(server.http, path);
        if (file !== null) {
          this.#leaveFor({ server, file, place: path });
          break;
        }
        taken = path;
      } catch (error) {
        failure = error;
      }
    }
    return { taken, failure };
  }

  #lookLater(): void {
    if (this.#state !== 'started') return;
    this.#timer = setTimeout(() => {
      void this.#inTurn(() => this.#look()).finally(() => this.#lookLater());
    }, this.#options.lookMs ?? LOOK_MS).unref();
  }

  /** Somebody may have removed the socket, and whoever held the place may have ended. */
  async #look(): Promise<void> {
    const config = this.#config;
    if (this.#state !== 'started' || config?.kind !== 'socket') return;
    const open = this.#open;
    if (open !== null) {
      if ((await open.file?.isOurs()) || this.#open !== open) return; // or it was closed meanwhile
      this.#services.log.warn({ socket: open.place }, 'admin socket taken from its place');
      this.#leaveFor(null);
    }
    await this.#enterSocket(config);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#move.then(work);
    this.#move = done.catch(() => {});
    return done;
  }

  #newServer(): AdminServer {
    return new AdminServer({ token: null, port: null }, this.#desk, this.#options.patience);
  }

  /** For another place, or for none. */
  #leaveFor(next: OpenPlace | null): void {
    const before = this.#open;
    if (next !== null && this.#state !== 'started') {
      next.file?.remove();
      next.server.destroy();
      return;
    }
    this.#open = next;
    if (next !== null) this.#services.log.info({ address: next.place }, 'admin endpoint open');
    if (before === null) return;
    before.file?.remove();
    this.#former.add(before.server);
    void before.server.close().then(() => this.#former.delete(before.server));
  }
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
