// The composition root: a configuration becomes listeners, certificates, upstreams and connections, another one takes its
// place without losing a request, and all goes away again. Start and reload never wait for a certificate authority.
import type { Socket } from 'node:net';
import { CertificateAutomation } from '../certs/automation.ts';
import type { CertificateStatus } from '../certs/certificate-status.ts';
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import { BufferPool } from '../core/buffer-pool.ts';
import type { Clock } from '../core/clock.ts';
import { DeadlineSweep } from '../core/deadlines.ts';
import { EndOfTurn } from '../core/end-of-turn.ts';
import { messageOf } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import type { Client, Handler } from '../http/exchange.ts';
import { ExchangeFeed } from '../http/exchange-feed.ts';
import { TlsContexts } from '../upstream/tls-contexts.ts';
import { type AccessLogChange, AccessLogging } from './access-logging.ts';
import { obstacleTo, siteChanges } from './config-change.ts';
import { Connections } from './connections.ts';
import { type DispatchServices, plainHandler, secureHandler } from './dispatch.ts';
import { Entrance } from './entrance.ts';
import { httpsPortOf, type ListenerChange, Listeners, type Listening } from './listeners.ts';
import { type ReloadResult, refusedReload } from './reload-result.ts';
import { Retirement } from './retirement.ts';
import { buildSnapshot, type Snapshot } from './snapshot.ts';
import { TargetRegistry } from './target-registry.ts';
import { secureContextOptions } from './tls-acceptor.ts';
import { reportOf, type WorkerReport } from './worker-report.ts';

export interface ServerServices {
  readonly log: Logger;
  readonly clock: Clock;
}

export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

export class Server implements Lifecycle {
  readonly #log: Logger;
  readonly #startedAt: number;
  readonly #targets: TargetRegistry;
  readonly #retirement = new Retirement();
  readonly #records = new ExchangeFeed();
  readonly #accessLogging: AccessLogging;
  readonly #certificates: CertificateAutomation;
  readonly #connections: Connections;
  readonly #entrance: Entrance;
  readonly #listeners: Listeners;
  readonly #plain: Handler;
  readonly #secure: Handler;
  #config: Config;
  #snapshot: Snapshot;
  #generation = 1;
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  #reloading: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;
  /** Remembered, since redirects are still answered while closing. */
  #httpsPort = 443;

  constructor(config: Config, services: ServerServices) {
    const { log } = services;
    const [sweep, turn, buffers] = [new DeadlineSweep(), new EndOfTurn(), new BufferPool()];
    const contextOptions = secureContextOptions();
    const certificates = new CertificateAutomation(config, { ...services, contextOptions });
    // What depends on the configuration in force is read through these whenever it is needed.
    const inForce = (): Config => this.#config;
    this.#config = config;
    this.#startedAt = services.clock.now();
    this.#log = log;
    this.#accessLogging = new AccessLogging({ ...services, records: this.#records });
    this.#certificates = certificates;
    this.#targets = new TargetRegistry({
      get timeouts() {
        return inForce().timeouts;
      },
      get idleMs() {
        return inForce().timeouts.upstreamIdleMs;
      },
      sweep,
      turn,
      buffers,
      contexts: new TlsContexts(),
    });
    this.#snapshot = this.#build(config, null);
    const dispatch: DispatchServices = { snapshot: () => this.#snapshot, challenges: certificates.challenges };
    this.#plain = plainHandler(dispatch, () => this.#httpsPort);
    this.#secure = secureHandler(dispatch);
    this.#connections = new Connections({
      get timeouts() {
        return inForce().timeouts;
      },
      records: this.#records,
      sweep,
      turn,
      buffers,
      log,
    });
    this.#entrance = new Entrance(config, {
      certificates,
      contextOptions,
      sweep,
      log,
      records: this.#records,
      onConnection: (socket, client, listening, speaksHttp2) => this.#serve(socket, client, listening, speaksHttp2),
    });
    this.#listeners = new Listeners((socket, listening) => this.#entrance.accept(socket, listening));
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  /** Counts the configurations that have been in force. */
  get generation(): number {
    return this.#generation;
  }

  get state(): 'starting' | 'serving' | 'stopping' {
    if (this.#state === 'new') return 'starting';
    return this.#state === 'started' ? 'serving' : 'stopping';
  }

  /** Client connections that are open. */
  get connections(): number {
    return this.#entrance.open;
  }

  /** How every certificate of the file stands; to be read piece by piece. */
  certificates(): Iterable<CertificateStatus> {
    return this.#certificates.statuses();
  }

  report(): WorkerReport {
    const { pid } = process;
    const targets = [...this.#targets.all].map(reportOf);
    return { pid, startedAt: this.#startedAt, connections: this.connections, targets };
  }

  /** Bound addresses in config order; only while listening. */
  get addresses(): { readonly http: readonly BoundAddress[]; readonly https: readonly BoundAddress[] } {
    return { http: this.#listeners.bound('http'), https: this.#listeners.bound('https') };
  }

  /**
   * Opens every listener and begins to look after certificates. Rejects with one PerantaraError whose message names
   * every listener that cannot be opened (`listen_*`); nothing is left running then.
   */
  start(): Promise<void> {
    const started = this.#start();
    this.#reloading = started.catch(() => {});
    return started;
  }

  /**
   * Puts another configuration in force, whole or not at all: when it is refused, nothing has changed. What both have in
   * common goes on untouched. Calls are done one after another, after the start; never rejects, never waits for an authority.
   */
  reload(config: Config, warnings: readonly Problem[] = []): Promise<ReloadResult> {
    const result = this.#reloading
      .then(() => this.#reload(config, warnings))
      .catch((error: unknown) => {
        this.#log.error({ err: error }, 'reload failed inside Perantara');
        return refusedReload(messageOf(error));
      });
    this.#reloading = result;
    return result;
  }

  /** Goes on in new files: the old ones have been moved away. */
  reopenLogs(): void {
    this.#accessLogging.reopen();
  }

  /** Stops accepting, closes idle connections at once, and waits for the others up to the drain timeout. */
  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  destroy(reason?: Error): void {
    this.#state = 'closed';
    this.#stopAccepting();
    this.#connections.destroy();
    void this.#accessLogging.close();
    this.#targets.destroy();
    this.#retirement.destroy();
    this.#certificates.destroy(reason);
  }

  async #start(): Promise<void> {
    // Stored certificates first, so that no handshake is refused that need not be; the CA only once it can be answered.
    await this.#certificates.load();
    if (this.#state !== 'new') return; // closed meanwhile
    this.#state = 'started';
    try {
      this.#accessLogging.prepare(this.config.accessLog).commit();
      (await this.#listeners.prepare(this.config.listen)).commit();
      this.#findHttpsPort();
      await this.#certificates.start();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  async #reload(config: Config, warnings: readonly Problem[]): Promise<ReloadResult> {
    if (this.#state !== 'started') return refusedReload('cannot use the new configuration: the process is not serving');
    const before = this.#snapshot;
    const obstacle = obstacleTo(before.config, config);
    if (obstacle !== null) return refusedReload(obstacle);
    let listeners: ListenerChange | null = null;
    let accessLog: AccessLogChange | null = null;
    try {
      listeners = await this.#listeners.prepare(config.listen);
      accessLog = this.#accessLogging.prepare(config.accessLog);
      this.#swap(config, this.#build(config, before));
    } catch (error) {
      listeners?.abandon();
      accessLog?.abandon();
      return refusedReload(messageOf(error));
    }
    accessLog.commit();
    const former = new Set(listeners.commit());
    this.#findHttpsPort();
    await this.#certificates.adopt(config);
    // By now whoever came for a listener or a site that is gone has what there was for it.
    this.#connections.drain(former);
    this.#retire(before);
    const changes = {
      ...siteChanges(before.config, config),
      listenersOpened: listeners.opened,
      listenersClosed: listeners.closed,
    };
    return { accepted: true, generation: this.#generation, changes, warnings };
  }

  /** From one request to the next, all of them are answered by `config`. */
  #swap(config: Config, snapshot: Snapshot): void {
    this.#entrance.adopt(config);
    this.#config = config;
    this.#snapshot = snapshot;
    this.#generation++;
  }

  /** Tunnels of sites that are gone, and everything on targets that are gone, get their time to end. */
  #retire(before: Snapshot): void {
    const hosts = new Set(this.#snapshot.all.map(({ host }) => host));
    const upstreams = before.all.flatMap((site) => (hosts.has(site.host) ? [] : site.upstreams));
    for (const retiring of [...upstreams, ...this.#targets.keepOnly(this.config)])
      this.#retirement.add(retiring, this.config.timeouts.retireMs);
  }

  async #drain(): Promise<void> {
    if (this.#state !== 'started') {
      this.destroy();
      await this.#accessLogging.close();
      return;
    }
    this.#state = 'closing';
    // At once: without listeners nobody could prove a name, and what failed would count at the CA.
    const certificates = this.#certificates.close();
    this.#stopAccepting();
    this.#connections.drain();
    this.#targets.closeIdle();
    await this.#connections.empty(this.config.timeouts.drainMs);
    const { size } = this.#connections;
    if (size > 0) this.#log.warn({ connections: size }, 'connections cut after the drain timeout');
    await certificates;
    this.destroy();
    await this.#accessLogging.close();
  }

  #stopAccepting(): void {
    this.#listeners.close();
    this.#entrance.destroy();
  }

  #serve(socket: Socket, client: Client, listening: Listening, speaksHttp2: boolean): void {
    const handler = client.servername === null ? this.#plain : this.#secure;
    if (this.#state === 'started') this.#connections.serve(socket, client, listening, handler, speaksHttp2);
    else socket.destroy();
  }

  #build(config: Config, before: Snapshot | null): Snapshot {
    const servesOnDemand = (host: string): boolean => this.#certificates.onDemand?.serves(host) === true;
    return buildSnapshot(config, { target: this.#targets.get, servesOnDemand, log: this.#log }, before);
  }

  #findHttpsPort(): void {
    const ports = this.addresses.https.map(({ port }) => port);
    this.#httpsPort = httpsPortOf(this.config.listen, ports);
  }
}
