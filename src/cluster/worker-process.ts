// A worker in a process of its own: does as its primary says, and ends with it. Everything it answers with is server/worker.
import type { Announcement } from '../certs/announcement.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { CrewChange } from '../server/crew.ts';
import { Listener } from '../server/listener.ts';
import { secureContextOptions } from '../server/tls-acceptor.ts';
import { Worker } from '../server/worker.ts';
import type { PrimaryCalls, WorkerCalls, WorkerStart } from './calls.ts';
import { CertificateMirror } from './certificate-mirror.ts';
import { Channel, type ChannelEnd } from './channel.ts';

export interface WorkerProcessServices {
  readonly log: Logger;
  readonly clock: Clock;
}

export class WorkerProcess {
  /** Resolves when there is nothing left to do: it was closed, or the primary is gone and what was under way has ended. */
  readonly ended: Promise<void>;
  readonly #services: WorkerProcessServices;
  readonly #channel: Channel<PrimaryCalls, WorkerCalls>;
  readonly #mirror: CertificateMirror;
  #worker: Worker | null = null;
  #change: { readonly change: CrewChange; readonly config: Config } | null = null;

  /** `end`: `process`, which has an IPC channel. */
  constructor(end: ChannelEnd, services: WorkerProcessServices) {
    const { log } = services;
    this.#services = services;
    this.#channel = new Channel<PrimaryCalls, WorkerCalls>(end, 'the primary process', {
      start: (start) => this.#start(start),
      announce: (announcements) => this.#announce(announcements),
      prepare: (config) => this.#prepare(config),
      commit: () => this.#commit(),
      abandon: () => this.#abandon(),
      settle: () => this.#worker?.settle(),
      useTicketKeys: (keys) => this.#worker?.useTicketKeys(keys),
      drainTargets: (names) => this.#worker?.drainTargets(names),
      setLogLevel: (level) => this.#worker?.setLogLevel(level),
      report: () => this.#serving.report(),
      reopenLogs: () => this.#worker?.reopenLogs(),
      beat: () => {},
      close: () => this.#worker?.close(),
    });
    this.#mirror = new CertificateMirror({
      contextOptions: secureContextOptions(),
      log,
      demand: (servername, address) => this.#channel.call('demand', { servername, address }),
      findToken: (host, token) => this.#channel.call('findToken', { host, token }).catch(() => null),
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    // Closed or not: without its primary nobody looks after it.
    end.on('disconnect', () => void (this.#worker?.close() ?? Promise.resolve()).then(resolve, resolve));
  }

  /** Something unexpected has happened: another worker is to take over, and what is under way here is finished. */
  fail(): void {
    void this.#channel.call('failing', null).catch(() => {});
  }

  get #serving(): Worker {
    if (this.#worker !== null) return this.#worker;
    throw new PerantaraError('the worker has not been started', { code: 'not_started', source: 'internal' });
  }

  async #start({ config, ticketKeys, drained, logLevel }: WorkerStart): Promise<void> {
    const { log, clock } = this.#services;
    log.level = logLevel;
    this.#mirror.isOnDemand = config.onDemand !== null;
    this.#worker = new Worker(config, {
      log,
      clock,
      certificates: this.#mirror,
      ticketKeys,
      createListener: (address, onSocket, key) => new Listener(address, onSocket, () => this.#socketFor(key)),
    });
    this.#worker.drainTargets(drained);
    await this.#worker.start();
  }

  async #socketFor(key: string): Promise<{ readonly handle: object }> {
    const { handle } = await this.#channel.call('socket', key);
    return { handle };
  }

  async #announce(announcements: readonly Announcement[]): Promise<void> {
    for (const announcement of announcements) await this.#mirror.take(announcement);
  }

  async #prepare(config: Config): Promise<void> {
    this.#change = { change: await this.#serving.prepare(config), config };
  }

  async #commit(): Promise<void> {
    const prepared = this.#change;
    this.#change = null;
    if (prepared === null) return;
    this.#mirror.isOnDemand = prepared.config.onDemand !== null;
    await prepared.change.commit();
  }

  #abandon(): void {
    this.#change?.change.abandon();
    this.#change = null;
  }
}
