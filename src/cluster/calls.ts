// What primary and workers ask each other. Questions and answers are plain data.
import type { Announcement } from '../certs/announcement.ts';
import type { Config } from '../config/config.ts';
import type { LogLevel } from '../core/log.ts';
import type { MetricsReport } from '../observe/metrics/metrics-report.ts';
import type { TicketKeySet } from '../server/ticket-keys.ts';
import type { WorkerReport } from '../server/worker-report.ts';
import type { HandleAnswer } from './channel.ts';

/** See worker-config.ts. */
export interface GivenConfig {
  readonly config: Config;
  /** Whether the primary is asked about each connection. */
  readonly isCountedTogether: boolean;
}

export interface WorkerStart extends GivenConfig {
  readonly ticketKeys: TicketKeySet;
  /** By name; see Crew. */
  readonly drained: ReadonlySet<string>;
  readonly logLevel: LogLevel;
}

/** Asked of a worker; see Crew. `announce` may come before `start`; everything else is left undone until it has begun. */
export type WorkerCalls = {
  /** Answered when all listeners are open. */
  start: (start: WorkerStart) => void;
  /** Answered when handshakes and requests know. */
  announce: (announcements: readonly Announcement[]) => void;
  prepare: (given: GivenConfig) => void;
  commit: (nothing: null) => void;
  abandon: (nothing: null) => void;
  settle: (nothing: null) => void;
  useTicketKeys: (keys: TicketKeySet) => void;
  drainTargets: (names: ReadonlySet<string>) => void;
  setLogLevel: (level: LogLevel) => void;
  report: (nothing: null) => WorkerReport;
  /** What it has counted, the first page of it, or the one after that which was asked for last; null: there are no more. */
  metrics: (at: 'first' | 'next') => MetricsReport | null;
  reopenLogs: (nothing: null) => void;
  /** Is it still there? */
  beat: (nothing: null) => void;
  /** Answered when all connections have ended, or the drain timeout has. */
  close: (nothing: null) => void;
};

/** Asked of the primary. */
export type PrimaryCalls = {
  /** The socket that the listener called `key` accepts from; see CreateListener. */
  socket: (key: string) => HandleAnswer;
  /** Answered when there is a certificate on demand and it has been announced, or there will be none. */
  demand: (handshake: { readonly servername: string; readonly address: string }) => void;
  /** What another machine has left in storage. */
  findToken: (asked: { readonly host: string; readonly token: string }) => string | null;
  /** Whether there is room for a connection from that address; it is counted then. */
  admit: (address: string) => boolean;
  leave: (address: string) => void;
  /** Connections that were let in when nobody asked. */
  occupy: (addresses: ReadonlyMap<string, number>) => void;
  /** Something went wrong in the worker that it cannot judge: it finishes what is under way and needs to be replaced. */
  failing: (nothing: null) => void;
};
