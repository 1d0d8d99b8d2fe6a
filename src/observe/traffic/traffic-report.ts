// What a process tells of its traffic: plain data, so that it can come from another process, and how several such reports are
// one. Times in milliseconds since the epoch. Pure.
import { addedLatencies, type LatencyCounts } from './latency-histogram.ts';
import { errorsTogether, type RecentError } from './recent-errors.ts';
import { STEP_MS, STEPS } from './step-ring.ts';

export interface TrafficReport {
  /** When the step under way began: the last one of every list of steps. A multiple of STEP_MS. */
  readonly stepAt: number;
  readonly all: Traffic;
  /** Sites that had requests within the steps: those with most errors, then with most requests, are first. At most MAX_ROWS. */
  readonly sites: readonly SiteTraffic[];
  /** Targets that have answered; at most MAX_ROWS, those with most answers in the last minute or two. */
  readonly targets: readonly TargetTraffic[];
  /** Newest first. */
  readonly errors: readonly RecentError[];
}

export interface Traffic {
  /** Exchanges that are over, since the process began to count. */
  readonly requests: number;
  /** Those by the first digit of the status; at 0 those without an answer. */
  readonly answers: readonly number[];
  /** Perantara's own: no target answered properly, or a response was broken off. */
  readonly ownErrors: number;
  /** Answers from 500 up of the targets' own. */
  readonly targetErrors: number;
  /** STEPS numbers each, oldest first; errors of both kinds. */
  readonly requestSteps: readonly number[];
  readonly errorSteps: readonly number[];
}

export interface SiteTraffic extends Traffic {
  /** Its key in the configuration; null: requests that no site was found for. */
  readonly site: string | null;
}

export interface TargetTraffic {
  readonly target: string;
  /** From the whole head of a request to the head of the target's response. */
  readonly latencies: LatencyCounts;
  /** When its latest response began. */
  readonly answeredAt: number;
}

export const MAX_ROWS = 200;

export const NO_STEPS: readonly number[] = Array(STEPS).fill(0);

/** null when none of them counts. */
export function trafficTogether(reports: readonly (TrafficReport | null)[]): TrafficReport | null {
  const all = reports.filter((report) => report !== null);
  if (all.length <= 1) return all[0] ?? null;
  const stepAt = Math.max(...all.map((report) => report.stepAt));
  const sites = new Map<string | null, SiteTraffic>();
  const targets = new Map<string, TargetTraffic>();
  for (const report of all) {
    const late = Math.round((stepAt - report.stepAt) / STEP_MS);
    for (const traffic of report.sites) {
      const moved = movedTraffic(traffic, late);
      const known = sites.get(traffic.site);
      sites.set(traffic.site, { site: traffic.site, ...(known === undefined ? moved : addedTraffic(known, moved)) });
    }
    for (const traffic of report.targets) {
      const known = targets.get(traffic.target);
      targets.set(traffic.target, known === undefined ? traffic : addedTarget(known, traffic));
    }
  }
  return {
    stepAt,
    all: all
      .map((report) => movedTraffic(report.all, Math.round((stepAt - report.stepAt) / STEP_MS)))
      .reduce(addedTraffic),
    sites: worstFirst([...sites.values()].map(weighed)).map(({ site }) => site),
    targets: [...targets.values()],
    errors: errorsTogether(all.map(({ errors }) => errors)),
  };
}

/** Within the steps. */
export interface Weighed {
  readonly requests: number;
  readonly errors: number;
}

/** At most MAX_ROWS. */
export function worstFirst<T extends Weighed>(sites: T[]): readonly T[] {
  return sites.sort((a, b) => b.errors - a.errors || b.requests - a.requests).slice(0, MAX_ROWS);
}

/** The last `count` of whole steps: without the one under way. */
export function latestSteps(steps: readonly number[], count: number): readonly number[] {
  return steps.slice(-count - 1, -1);
}

export function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
}

function weighed(site: SiteTraffic): Weighed & { readonly site: SiteTraffic } {
  return { site, requests: sum(site.requestSteps), errors: sum(site.errorSteps) };
}

function addedTarget(a: TargetTraffic, b: TargetTraffic): TargetTraffic {
  const latencies = addedLatencies(a.latencies, b.latencies);
  return { target: a.target, latencies, answeredAt: Math.max(a.answeredAt, b.answeredAt) };
}

function addedTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    requests: a.requests + b.requests,
    answers: added(a.answers, b.answers),
    ownErrors: a.ownErrors + b.ownErrors,
    targetErrors: a.targetErrors + b.targetErrors,
    requestSteps: added(a.requestSteps, b.requestSteps),
    errorSteps: added(a.errorSteps, b.errorSteps),
  };
}

/** As it is `late` steps later. */
function movedTraffic(traffic: Traffic, late: number): Traffic {
  if (late === 0) return traffic;
  const moved = (steps: readonly number[]): number[] => [...steps, ...NO_STEPS].slice(late, late + STEPS);
  return { ...traffic, requestSteps: moved(traffic.requestSteps), errorSteps: moved(traffic.errorSteps) };
}

function added(a: readonly number[], b: readonly number[]): number[] {
  return a.map((each, i) => each + b[i]!);
}
