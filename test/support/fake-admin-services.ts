// What the admin endpoint asks of a process, answered by a test. Fields may be changed at any time.
import type { AdminServices, ServingState } from '../../src/admin/admin-services.ts';
import type { CertificateStatus } from '../../src/certs/certificate-status.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { MetricsSums } from '../../src/observe/metrics/metrics-sums.ts';
import type { ReloadResult } from '../../src/server/reload-result.ts';
import type { TargetReport, WorkerReport } from '../../src/server/worker-report.ts';
import { type CapturedLog, capturedLog } from './captured-log.ts';

export const STARTED_AT = Date.UTC(2026, 10, 1);

export interface FakeAdminServices extends AdminServices {
  readonly captured: CapturedLog;
  now: number;
  state: ServingState;
  inForce: Config;
  certificateList: Iterable<CertificateStatus>;
  reportList: readonly WorkerReport[];
  readonly drained: Set<string>;
  /** Called by each reload. */
  onReload: () => ReloadResult | Promise<ReloadResult>;
}

export const ACCEPTED: ReloadResult = {
  accepted: true,
  generation: 2,
  changes: {
    sitesAdded: ['new.example'],
    sitesRemoved: [],
    sitesChanged: ['app.example'],
    listenersOpened: ['https 127.0.0.1:8444'],
    listenersClosed: [],
  },
  warnings: [],
};

export function configOf(value: unknown, folder = '/srv/perantara'): Config {
  const loaded = loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: STARTED_AT });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  return loaded.config;
}

export function fakeAdminServices(): FakeAdminServices {
  const captured = capturedLog();
  const services: FakeAdminServices = {
    captured,
    log: captured.log,
    setLogLevel: (level) => {
      captured.log.level = level;
    },
    clock: { now: () => services.now },
    now: STARTED_AT + 90_000,
    version: '9.8.7',
    startedAt: STARTED_AT,
    state: {
      state: 'serving',
      config: { file: './perantara.yaml', path: '/srv/perantara/perantara.yaml', generation: 1, loadedAt: STARTED_AT },
      lastReload: null,
      listeners: [{ protocol: 'https', address: '::', port: 443 }],
    },
    inForce: configOf({ sites: { 'app.example': '3000' } }),
    certificateList: [],
    reportList: [workerReport({ connections: 3 })],
    drained: new Set(),
    onReload: () => ACCEPTED,
    serving: () => services.state,
    config: () => services.inForce,
    certificates: () => services.certificateList,
    reports: async () => services.reportList,
    drainTarget: async (name, isDrained) => {
      const isNew = services.drained.has(name) !== isDrained;
      if (isDrained) services.drained.add(name);
      else services.drained.delete(name);
      return isNew;
    },
    metrics: async () => ({
      workers: new MetricsSums(),
      primary: {
        ...{ version: services.version, node: 'v26.0.0', startedAt: STARTED_AT },
        config: { generation: 1, loadedAt: STARTED_AT, sites: 1 },
        reloads: { accepted: 0, refused: 0, last: null },
        workers: { running: services.reportList.length, restarts: 0 },
        certificates: [],
      },
    }),
    reload: async () => services.onReload(),
  };
  return services;
}

export function workerReport(change: Partial<WorkerReport> = {}): WorkerReport {
  return {
    pid: 4711,
    startedAt: STARTED_AT,
    connections: 0,
    targets: [],
    inflight: {},
    traffic: null,
    ...change,
  };
}

export function targetReport(change: Partial<TargetReport> = {}): TargetReport {
  return { name: 'http://127.0.0.1:3000', inflight: 0, connections: 0, drained: false, failure: null, ...change };
}

/** A certificate in order. */
export function certificateStatus(change: Partial<CertificateStatus> = {}): CertificateStatus {
  return {
    name: 'app.example',
    names: ['app.example'],
    source: 'acme',
    onDemand: false,
    state: 'valid',
    issuer: 'Pebble Intermediate',
    authority: 'localhost-14000-dir',
    challenge: 'http-01',
    profile: null,
    keyType: 'p256',
    notBefore: STARTED_AT,
    notAfter: STARTED_AT + 90 * 86_400_000,
    leftRatio: 1,
    next: { step: 'renew', at: STARTED_AT + 60 * 86_400_000, reason: 'lifetime', waitsFor: null },
    nextRenewalAt: STARTED_AT + 60 * 86_400_000,
    lastError: null,
    nextAttemptAt: null,
    failures: 0,
    window: null,
    requestedAt: null,
    budget: [],
    ...change,
  };
}
