// What a worker tells of itself when it is asked: plain data, so that it can come from another process. Several reports are put
// together where they are shown.
import type { Target } from '../upstream/target.ts';

export interface WorkerReport {
  readonly pid: number;
  /** When it began to be a worker; milliseconds since the epoch. */
  readonly startedAt: number;
  /** Of clients, open now. */
  readonly connections: number;
  /** In the order in which the configuration names them. */
  readonly targets: readonly TargetReport[];
}

export interface TargetReport {
  /** `https://10.0.0.5:8443` */
  readonly name: string;
  /** Requests claimed and not yet released. */
  readonly inflight: number;
  /** Open, busy and idle. */
  readonly connections: number;
}

export function reportOf({ name, inflight, connections }: Target): TargetReport {
  return { name, inflight, connections };
}

/** What all workers together have of each target. */
export function targetsTogether(reports: readonly WorkerReport[]): readonly TargetReport[] {
  if (reports.length === 1) return reports[0]!.targets;
  const sums = new Map<string, { name: string; inflight: number; connections: number }>();
  for (const { targets } of reports)
    for (const { name, inflight, connections } of targets) {
      const sum = sums.get(name) ?? { name, inflight: 0, connections: 0 };
      sum.inflight += inflight;
      sum.connections += connections;
      sums.set(name, sum);
    }
  return [...sums.values()];
}
