// Whoever listens and answers requests for a server: one worker in this process, or several in processes of their own. The server
// decides what is in force and looks after certificates; its crew does as it is told.
import type { CertificateAutomation } from '../certs/automation.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger, LogLevel } from '../core/log.ts';
import type { MetricsSums } from '../observe/metrics/metrics-sums.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { TicketKeySet } from './ticket-keys.ts';
import type { WorkerReport } from './worker-report.ts';

export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

/** In the order of the configuration. */
export interface BoundAddresses {
  readonly http: readonly BoundAddress[];
  readonly https: readonly BoundAddress[];
}

/** Everybody is ready for another configuration, and still goes by the one before. Ends with `commit` or `abandon`, once. */
export interface CrewChange {
  /** As `https 0.0.0.0:443`, in the order of the configuration. */
  readonly listenersOpened: readonly string[];
  readonly listenersClosed: readonly string[];
  /** From one request to the next, all are answered by the new configuration. Resolves when everybody does; never rejects. */
  commit(): Promise<void>;
  abandon(): void;
}

/** What all workers together have counted; see observe/metrics/metrics-together.ts. */
export interface CrewMetrics {
  readonly together: MetricsSums;
  /** That answer now. */
  readonly workers: number;
  /** Of workers that ended by themselves. */
  readonly restarts: number;
}

export interface Crew {
  /** Only while listening. */
  readonly addresses: BoundAddresses;
  /**
   * Opens every listener and begins to answer. Rejects with one PerantaraError whose message names every listener that cannot be
   * opened (`listen_*`), or what else is in the way; nothing is left running then.
   */
  start(): Promise<void>;
  /** Rejects with why somebody cannot follow `config`; nothing has changed then. Calls must not overlap. */
  prepare(config: Config): Promise<CrewChange>;
  /** After `commit`, when the certificates have followed: what is in force no more drains, and gets its time to end. */
  settle(): void;
  useTicketKeys(keys: TicketKeySet): void;
  /** By name: those that get no new requests; all others do. Resolves when it is so for all that answer in time; never rejects. */
  drainTargets(names: ReadonlySet<string>): Promise<void>;
  /** Of all that answer in time. Never rejects. */
  reports(): Promise<readonly WorkerReport[]>;
  /** No counter is ever smaller than the time before, whoever has ended meanwhile. Never rejects. */
  metrics(): Promise<CrewMetrics>;
  setLogLevel(level: LogLevel): void;
  /** Goes on in new files: the old ones have been moved away. */
  reopenLogs(): void;
  /** Stops accepting, closes idle connections at once, and waits for the others up to the drain timeout. */
  close(): Promise<void>;
  destroy(): void;
}

export interface CrewServices {
  readonly log: Logger;
  readonly clock: Clock;
  readonly certificates: CertificateAutomation;
  readonly ticketKeys: TicketKeySet;
  /** To be awaited when the listeners are open, before anything that comes from them is looked at and before a process is started. */
  readonly onListening: () => Promise<void>;
  /** Never closed by anybody but the process that was started with them. */
  readonly inherited: InheritedSockets;
}

export type CreateCrew = (config: Config, services: CrewServices) => Crew;
