// What the admin endpoint asks of the process that it stands beside: an interface, so that it can be tested without one.
// Readers but "reports" return at once and from memory; all may be called at any moment between the endpoint's start and its end.
import type { CertificateStatus } from '../certs/certificate-status.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger, LogLevel } from '../core/log.ts';
import type { MetricsSums } from '../observe/metrics/metrics-sums.ts';
import type { PrimaryFigures } from '../observe/metrics/primary-families.ts';
import type { ReloadResult } from '../server/reload-result.ts';
import type { WorkerReport } from '../server/worker-report.ts';

export interface AdminServices {
  /** Its level can be asked for. */
  readonly log: Logger;
  /** Of this process's log and those of its workers. */
  setLogLevel(level: LogLevel): void;
  readonly clock: Clock;
  /** Of Perantara: `0.1.0`. */
  readonly version: string;
  /** When the process started; milliseconds since the epoch. */
  readonly startedAt: number;
  serving(): ServingState;
  /** The configuration in force; what leaves the process of it is redacted here. */
  config(): Config;
  /** In the order of the file. Read piece by piece, with other work between: entries may come and go meanwhile. */
  certificates(): Iterable<CertificateStatus>;
  /** Of every worker that answers in time: what they have in memory, not all at the same moment. Never rejects. */
  reports(): Promise<readonly WorkerReport[]>;
  /** Whether new requests go to the target of that name; one that is configured. Resolves when they do; false: they did before. */
  drainTarget(name: string, isDrained: boolean): Promise<boolean>;
  /** What has been counted, by all workers together and by the process that looks after them. Never rejects. */
  metrics(): Promise<{ readonly workers: MetricsSums; readonly primary: PrimaryFigures }>;
  /** Loads the file again. Calls may overlap; each resolves with the outcome of a reading that began after it. */
  reload(): Promise<ReloadResult>;
}

export interface ServingState {
  /** `stopping`: no new connections, requests under way are finished. */
  readonly state: 'starting' | 'serving' | 'stopping';
  readonly config: {
    /** As messages name it and as it was written on the command line: `./perantara.yaml`. */
    readonly file: string;
    /** Absolute. */
    readonly path: string;
    /** 1 for the one that the process started with. */
    readonly generation: number;
    /** Milliseconds since the epoch. */
    readonly loadedAt: number;
  };
  /** However it was asked for; null before the first. `message`: that of the result, or null when it was accepted. */
  readonly lastReload: { readonly at: number; readonly accepted: boolean; readonly message: string | null } | null;
  readonly listeners: readonly ListenerStatus[];
}

export interface ListenerStatus {
  readonly protocol: 'http' | 'https';
  /** As bound: an IP address without brackets. */
  readonly address: string;
  readonly port: number;
}
