// What `GET /status` answers and `perantara status` shows. Field names are a promise; times are milliseconds since the epoch.
import type { WorkerReport } from '../server/worker-report.ts';
import type { AdminServices, ServingState } from './admin-services.ts';

export interface ProcessStatus extends ServingState {
  readonly version: string;
  /** Of Node: `v26.1.0`. */
  readonly node: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly uptimeMs: number;
  /** Absolute path of the folder. */
  readonly storage: string;
  readonly sites: number;
  readonly logLevel: string;
  /** Of clients, open now, on all workers. */
  readonly connections: number;
  readonly workers: readonly WorkerStatus[];
}

/** One of the processes that answer requests; with one worker, this one. */
export type WorkerStatus = Pick<WorkerReport, 'pid' | 'startedAt' | 'connections'>;

export async function processStatus(services: AdminServices): Promise<ProcessStatus> {
  return statusOf(services, await services.reports());
}

export function statusOf(services: AdminServices, workers: readonly WorkerReport[]): ProcessStatus {
  const { version, startedAt, clock, log } = services;
  const { state, config, lastReload, listeners } = services.serving();
  const { storage, sites } = services.config();
  return {
    version,
    node: process.version,
    pid: process.pid,
    state,
    startedAt,
    uptimeMs: Math.max(0, clock.now() - startedAt),
    config,
    lastReload,
    storage,
    sites: sites.length,
    listeners,
    logLevel: log.level,
    connections: workers.reduce((sum, worker) => sum + worker.connections, 0),
    workers: workers.map(({ pid, startedAt: since, connections }) => ({ pid, startedAt: since, connections })),
  };
}
