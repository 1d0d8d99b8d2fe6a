// What `GET /status` answers and `perantara status` shows. Field names are a promise; times are milliseconds since the epoch.
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
}

export function processStatus(services: AdminServices): ProcessStatus {
  const { version, startedAt, clock, log } = services;
  const { state, config, lastReload, listeners, connections } = services.serving();
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
    connections,
    logLevel: log.level,
  };
}
