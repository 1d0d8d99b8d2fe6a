// What a worker tells of itself when it is asked: plain data, so that it can come from another process. Several reports are put
// together where they are shown. Times are milliseconds since the epoch.
import { type TrafficReport, trafficTogether } from '../observe/traffic/traffic-report.ts';

export interface WorkerReport {
  readonly pid: number;
  /** When it began to be a worker. */
  readonly startedAt: number;
  /** Of clients, open now. */
  readonly connections: number;
  /** In the order in which the configuration names them. */
  readonly targets: readonly TargetReport[];
  /** By site: requests that are on their way to a target or back. Sites without are left out. */
  readonly inflight: Readonly<Record<string, number>>;
  /** null: not counted, since nobody can ask for it. */
  readonly traffic: TrafficReport | null;
}

export interface TargetReport {
  /** `https://10.0.0.5:8443` */
  readonly name: string;
  /** Requests claimed and not yet released. */
  readonly inflight: number;
  /** Open, busy and idle. */
  readonly connections: number;
  /** By an operator: it gets no new requests. */
  readonly drained: boolean;
  /** Failed requests since it answered last, or null. */
  readonly failure: TargetFailureReport | null;
}

export interface TargetFailureReport {
  readonly sinceAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** Of the last one: stable, `connect_failed`; and in its own words, safe to print. */
  readonly code: string;
  readonly message: string;
}

/** `failing`: the last request came to nothing there. */
export function targetState({ drained, failure }: TargetReport): 'ok' | 'failing' | 'drained' {
  if (drained) return 'drained';
  return failure === null ? 'ok' : 'failing';
}

/** What all workers together have of each target; targets of one name are one. It does not fail when another worker got an answer since. */
export function targetsTogether(reports: readonly WorkerReport[]): readonly TargetReport[] {
  const together = new Map<string, TargetReport>();
  for (const { targets } of reports)
    for (const target of targets) {
      const known = together.get(target.name);
      together.set(target.name, known === undefined ? target : added(known, target));
    }
  if (reports.length <= 1) return [...together.values()];
  const answers = new Map(
    trafficTogether(reports.map(({ traffic }) => traffic))?.targets.map((each) => [each.target, each]),
  );
  return [...together.values()].map((target) => {
    const { name, failure } = target;
    const hasAnswered = failure !== null && (answers.get(name)?.answeredAt ?? 0) > failure.lastAt;
    return hasAnswered ? { ...target, failure: null } : target;
  });
}

function added(a: TargetReport, b: TargetReport): TargetReport {
  return {
    name: a.name,
    inflight: a.inflight + b.inflight,
    connections: a.connections + b.connections,
    drained: a.drained || b.drained,
    failure: a.failure === null || b.failure === null ? (a.failure ?? b.failure) : worse(a.failure, b.failure),
  };
}

/** The words are those of the later one. */
function worse(a: TargetFailureReport, b: TargetFailureReport): TargetFailureReport {
  const later = a.lastAt >= b.lastAt ? a : b;
  return { ...later, sinceAt: Math.min(a.sinceAt, b.sinceAt), count: a.count + b.count };
}

/** By site, over all workers. */
export function inflightTogether(reports: readonly WorkerReport[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { inflight } of reports)
    for (const [site, count] of Object.entries(inflight)) sums.set(site, (sums.get(site) ?? 0) + count);
  return sums;
}
