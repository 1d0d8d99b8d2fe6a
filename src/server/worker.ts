// Listens and answers requests by one configuration after another: listeners, the way in, connections, targets, the access log.
// Certificates it only reads; everything that lives longer than a configuration is here, in one process.
import type { Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { BufferPool } from '../core/buffer-pool.ts';
import type { Clock } from '../core/clock.ts';
import { DeadlineSweep } from '../core/deadlines.ts';
import { EndOfTurn } from '../core/end-of-turn.ts';
import type { Logger, LogLevel } from '../core/log.ts';
import type { Client, Handler } from '../http/exchange.ts';
import { ExchangeFeed } from '../http/exchange-feed.ts';
import { TlsContexts } from '../upstream/tls-contexts.ts';
import type { CertificateSource } from './certificate-source.ts';
import { Connections } from './connections.ts';
import type { BoundAddresses, Crew, CrewChange, CrewMetrics } from './crew.ts';
import { type DispatchServices, plainHandler, secureHandler } from './dispatch.ts';
import { Entrance } from './entrance.ts';
import type { SharedAdmission } from './gate.ts';
import { InheritedListeners } from './inherited-listeners.ts';
import { InheritedSockets } from './inherited-sockets.ts';
import { type CreateListener, httpsPortOf, type ListenerChange, Listeners, type Listening } from './listeners.ts';
import { Reporter } from './reporter.ts';
import { Retirement } from './retirement.ts';
import { buildSnapshot, type Snapshot } from './snapshot.ts';
import { TargetRegistry } from './target-registry.ts';
import { type TicketKeySet, TicketKeys } from './ticket-keys.ts';
import { secureContextOptions } from './tls-acceptor.ts';
import { WaitingRoom } from './waiting-room.ts';
import { type WatcherChange, Watchers } from './watchers.ts';
import { sumOf, WorkerMetrics } from './worker-metrics.ts';
import type { WorkerReport } from './worker-report.ts';

export interface WorkerServices {
  readonly log: Logger;
  readonly clock: Clock;
  readonly certificates: CertificateSource;
  readonly ticketKeys: TicketKeySet;
  /** Whoever counts connections for several workers. Default null: there are no others. */
  readonly together?: SharedAdmission | null;
  /** Awaited when the listeners are open, before anything that comes from them is looked at. Default: nothing. */
  readonly onListening?: () => Promise<void>;
  /** Served where the configuration has their addresses. Default none. */
  readonly inherited?: InheritedSockets;
  /** Default: on an inherited socket, else on one that is bound here. */
  readonly createListener?: CreateListener;
}

export class Worker implements Crew {
  readonly #log: Logger;
  readonly reporter: Reporter;
  readonly #certificates: CertificateSource;
  readonly #tickets: TicketKeys;
  readonly #targets: TargetRegistry;
  readonly #retirement = new Retirement();
  readonly #records = new ExchangeFeed();
  readonly #watchers: Watchers;
  readonly #metrics = new WorkerMetrics(this.#records);
  readonly #connections: Connections;
  readonly #entrance: Entrance;
  readonly #inherited: InheritedListeners;
  readonly #listeners: Listeners;
  readonly #onListening: () => Promise<void>;
  readonly #waitingRoom: WaitingRoom;
  readonly #plain: Handler;
  readonly #secure: Handler;
  #snapshot: Snapshot;
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  /** Remembered, since redirects are still answered while closing. */
  #httpsPort = 443;
  /** What was in force before, until `settle`. */
  #former: { readonly snapshot: Snapshot; readonly listeners: ReadonlySet<Listening> } | null = null;

  constructor(config: Config, services: WorkerServices) {
    const { log, clock, certificates, ticketKeys } = services;
    const [sweep, turn, buffers] = [new DeadlineSweep(), new EndOfTurn(), new BufferPool()];
    // What depends on the configuration in force is read through these whenever it is needed.
    const inForce = (): Config => this.#snapshot.config;
    this.#log = log;
    this.#certificates = certificates;
    this.#tickets = new TicketKeys(ticketKeys);
    this.#watchers = new Watchers({ log, clock, records: this.#records });
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
    this.#records.tracing = this.#snapshot.tracing;
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
      contextOptions: secureContextOptions(),
      tickets: this.#tickets,
      together: services.together ?? null,
      sweep,
      log,
      records: this.#records,
      figures: this.#metrics.connections,
      onConnection: (socket, client, listening, speaksHttp2) => this.#serve(socket, client, listening, speaksHttp2),
    });
    this.reporter = new Reporter({
      clock,
      records: this.#records,
      snapshot: () => this.#snapshot,
      targets: () => this.#targets.all,
      connections: () => this.#entrance.open,
      metrics: this.#metrics,
    });
    this.#waitingRoom = new WaitingRoom((socket, listening) => this.#entrance.accept(socket, listening));
    this.#onListening = services.onListening ?? (async () => {});
    this.#inherited = new InheritedListeners(services.inherited ?? new InheritedSockets());
    this.#listeners = new Listeners(
      (socket, listening) => this.#waitingRoom.enter(socket, listening),
      services.createListener ?? ((address, onSocket) => this.#inherited.create(address, onSocket)),
    );
  }

  /** Connections of clients that are open, by address. */
  get openByAddress(): ReadonlyMap<string, number> {
    return this.#entrance.openByAddress;
  }

  get addresses(): BoundAddresses {
    return { http: this.#listeners.bound('http'), https: this.#listeners.bound('https') };
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    const { config } = this.#snapshot;
    try {
      (await this.#listeners.prepare(config.listen)).commit();
      await this.#onListening();
      (await this.#watchers.prepare(config)).commit();
      this.#findHttpsPort();
      this.#waitingRoom.open();
      this.reporter.adopt();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  async prepare(config: Config): Promise<CrewChange> {
    const before = this.#snapshot;
    let listeners: ListenerChange | null = null;
    let watchers: WatcherChange | null = null;
    const abandon = (): void => {
      listeners?.abandon();
      watchers?.abandon();
    };
    try {
      listeners = await this.#listeners.prepare(config.listen);
      watchers = await this.#watchers.prepare(config);
      const snapshot = this.#build(config, before);
      const { opened: listenersOpened, closed: listenersClosed } = listeners;
      return {
        listenersOpened,
        listenersClosed,
        commit: async () => this.#swap(snapshot, listeners!, watchers!),
        abandon,
      };
    } catch (error) {
      abandon();
      throw error;
    }
  }

  /** By now whoever came for a listener or a site that is gone has what there was for it. */
  settle(): void {
    const former = this.#former;
    this.#former = null;
    if (former === null) return;
    this.#connections.drain(former.listeners);
    this.#retire(former.snapshot);
    this.reporter.adopt();
  }

  useTicketKeys(keys: TicketKeySet): void {
    this.#tickets.adopt(keys);
  }

  async drainTargets(names: ReadonlySet<string>): Promise<void> {
    this.#targets.drain(names);
  }

  setLogLevel(level: LogLevel): void {
    this.#log.level = level;
  }

  async reports(): Promise<readonly WorkerReport[]> {
    return [this.reporter.report()];
  }

  async metrics(): Promise<CrewMetrics> {
    return { together: await sumOf(this.reporter.metricsPages()), workers: 1, restarts: 0 };
  }

  reopenLogs(): void {
    this.#watchers.reopen();
  }

  async close(): Promise<void> {
    if (this.#state !== 'started') {
      this.destroy();
      await this.#watchers.close();
      return;
    }
    this.#state = 'closing';
    const { drainMs } = this.#snapshot.config.timeouts;
    this.#stopAccepting();
    this.#connections.drain();
    this.#targets.closeIdle();
    // Who has been accepted may ask: nobody else has heard of that connection.
    await this.#entrance.empty(drainMs);
    this.#entrance.destroy();
    await this.#connections.empty(drainMs);
    const { size } = this.#connections;
    if (size > 0) this.#log.warn({ connections: size }, 'connections cut after the drain timeout');
    this.destroy();
    await this.#watchers.close();
  }

  destroy(): void {
    this.#state = 'closed';
    this.#stopAccepting();
    this.#waitingRoom.destroy();
    this.#entrance.destroy();
    this.#connections.destroy();
    void this.#watchers.close();
    this.#targets.destroy();
    this.#retirement.destroy();
    this.#metrics.stop();
  }

  /** From one request to the next, all of them are answered by another snapshot. */
  #swap(snapshot: Snapshot, listeners: ListenerChange, watchers: WatcherChange): void {
    const before = this.#snapshot;
    this.#entrance.adopt(snapshot.config);
    this.#snapshot = snapshot;
    this.#records.tracing = snapshot.tracing;
    watchers.commit();
    this.#former = { snapshot: before, listeners: new Set(listeners.commit()) };
    this.#findHttpsPort();
  }

  /** Tunnels of sites that are gone, and everything on targets that are gone, get their time to end. */
  #retire(before: Snapshot): void {
    const { all, config } = this.#snapshot;
    const hosts = new Set(all.map(({ host }) => host));
    const upstreams = before.all.flatMap((site) => (hosts.has(site.host) ? [] : site.upstreams));
    for (const retiring of [...upstreams, ...this.#targets.keepOnly(config)])
      this.#retirement.add(retiring, config.timeouts.retireMs);
  }

  #stopAccepting(): void {
    this.#listeners.close();
    this.#inherited.close();
  }

  #serve(socket: Socket, client: Client, listening: Listening, speaksHttp2: boolean): void {
    const handler = client.servername === null ? this.#plain : this.#secure;
    if (this.#state === 'closed') socket.destroy();
    else this.#connections.serve(socket, client, listening, handler, speaksHttp2);
  }

  #build(config: Config, before: Snapshot | null): Snapshot {
    const servesOnDemand = (host: string): boolean => this.#certificates.onDemand?.serves(host) === true;
    return buildSnapshot(config, { target: this.#targets.get, servesOnDemand, log: this.#log }, before);
  }

  #findHttpsPort(): void {
    const ports = this.addresses.https.map(({ port }) => port);
    this.#httpsPort = httpsPortOf(this.#snapshot.config.listen, ports);
  }
}
