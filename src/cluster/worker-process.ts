// A worker in a process of its own: does as its primary says, and ends with it. Everything it answers with is server/worker.
import type { Announcement } from '../certs/announcement.ts';
import type { Clock } from '../core/clock.ts';
import { PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { MetricsReport } from '../observe/metrics/metrics-report.ts';
import type { CrewChange } from '../server/crew.ts';
import { Listener } from '../server/listener.ts';
import { secureContextOptions } from '../server/tls-acceptor.ts';
import { Worker } from '../server/worker.ts';
import { AdmissionDesk } from './admission-desk.ts';
import type { GivenConfig, PrimaryCalls, WorkerCalls, WorkerStart } from './calls.ts';
import { CertificateMirror } from './certificate-mirror.ts';
import { Channel, type ChannelEnd } from './channel.ts';

/** Longer than a primary takes that turns at all. */
const SOCKET_WITHIN_MS = 10_000;

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
  #pages: Iterator<MetricsReport, null> | null = null;
  readonly #desk: AdmissionDesk;
  #isClosing = false;
  #change: { readonly change: CrewChange; readonly given: GivenConfig } | null = null;

  /** `end`: `process`, which has an IPC channel. */
  constructor(end: ChannelEnd, services: WorkerProcessServices) {
    const { log } = services;
    this.#services = services;
    this.#channel = new Channel<PrimaryCalls, WorkerCalls>(end, 'the primary process', {
      start: (start) => this.#start(start),
      announce: (announcements) => this.#announce(announcements),
      prepare: (given) => this.#prepare(given),
      commit: () => this.#commit(),
      abandon: () => this.#abandon(),
      settle: () => this.#worker?.settle(),
      useTicketKeys: (keys) => this.#worker?.useTicketKeys(keys),
      drainTargets: (names) => this.#worker?.drainTargets(names),
      setLogLevel: (level) => this.#worker?.setLogLevel(level),
      report: () => this.#serving.reporter.report(),
      metrics: (at) => this.#metricsPage(at),
      reopenLogs: () => this.#worker?.reopenLogs(),
      beat: () => {},
      close: () => this.#close(),
    });
    this.#mirror = new CertificateMirror({
      contextOptions: secureContextOptions(),
      log,
      demand: (servername, address) => this.#channel.call('demand', { servername, address }),
      findToken: (host, token) => this.#channel.call('findToken', { host, token }).catch(() => null),
    });
    this.#desk = new AdmissionDesk(this.#channel);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    // Closed or not: without its primary nobody looks after it.
    end.on('disconnect', () => {
      if (!this.#isClosing && this.#worker !== null)
        log.warn('the primary process is gone: requests under way are finished, then this worker ends, too');
      void this.#close().then(resolve, resolve);
    });
  }

  /** Something unexpected has happened: another worker is to take over, and what is under way here is finished. */
  fail(): void {
    void this.#channel.call('failing', null).catch(() => {});
  }

  get #serving(): Worker {
    if (this.#worker !== null) return this.#worker;
    throw new PerantaraError('the worker has not been started', { code: 'not_started', source: 'internal' });
  }

  async #start({ config, isCountedTogether, ticketKeys, drained, logLevel }: WorkerStart): Promise<void> {
    const { log, clock } = this.#services;
    log.level = logLevel;
    this.#mirror.isOnDemand = config.onDemand !== null;
    this.#desk.adopt(isCountedTogether, new Map());
    this.#worker = new Worker(config, {
      log,
      clock,
      certificates: this.#mirror,
      ticketKeys,
      together: this.#desk,
      createListener: (address, onSocket, key) => new Listener(address, onSocket, () => this.#socketFor(key)),
    });
    this.#worker.drainTargets(drained);
    await this.#worker.start();
  }

  #metricsPage(at: 'first' | 'next'): MetricsReport | null {
    if (at === 'first') this.#pages = this.#serving.reporter.metricsPages();
    return this.#pages?.next().value ?? null;
  }

  /** The system drops a socket on its way to a process that may open no more, and nobody is told. */
  async #socketFor(key: string): Promise<{ readonly handle: object }> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(noSocket()), SOCKET_WITHIN_MS);
    try {
      const { handle } = await Promise.race([this.#channel.call('socket', key), late]);
      return { handle };
    } finally {
      clearTimeout(timer);
    }
  }

  #announce(announcements: readonly Announcement[]): void {
    for (const announcement of announcements) this.#mirror.take(announcement);
  }

  async #prepare(given: GivenConfig): Promise<void> {
    this.#change = { change: await this.#serving.prepare(given.config), given };
  }

  async #commit(): Promise<void> {
    const prepared = this.#change;
    this.#change = null;
    if (prepared === null) return;
    const { change, given } = prepared;
    this.#mirror.isOnDemand = given.config.onDemand !== null;
    const committed = change.commit();
    this.#desk.adopt(given.isCountedTogether, this.#serving.openByAddress);
    await committed;
  }

  #abandon(): void {
    this.#change?.change.abandon();
    this.#change = null;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    await this.#worker?.close();
  }
}

function noSocket(): PerantaraError {
  const why = `no socket came from the primary process within ${SOCKET_WITHIN_MS / 1_000} s`;
  const what =
    'if this worker has as many files and connections open as it may, raise "ulimit -n" (LimitNOFILE in a unit)';
  return new PerantaraError(`cannot listen: ${why}; ${what}`, { code: 'listen_failed', source: 'operator' });
}
