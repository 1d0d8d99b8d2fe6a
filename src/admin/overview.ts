// Everything at a glance, in one answer of bounded size: what `perantara top` and the dashboard show, asked for again and again.
// Field names are a promise; times are milliseconds since the epoch.
import { type Latency, latencyOf } from '../observe/traffic/latency-histogram.ts';
import type { RecentError } from '../observe/traffic/recent-errors.ts';
import { STEP_MS } from '../observe/traffic/step-ring.ts';
import {
  type SiteTraffic,
  sum,
  type Traffic,
  type TrafficReport,
  trafficTogether,
} from '../observe/traffic/traffic-report.ts';
import { inflightTogether, type TargetReport, targetState, targetsTogether } from '../server/worker-report.ts';
import type { AdminServices } from './admin-services.ts';
import type { CertificateDigest, CertificateOverview, HostCertificate } from './certificate-digest.ts';
import { type ProcessStatus, statusOf } from './process-status.ts';
import { type Trouble, troublesOf } from './troubles.ts';

export interface Overview {
  readonly at: number;
  readonly status: ProcessStatus;
  readonly troubles: readonly Trouble[];
  readonly certificates: CertificateOverview['counts'];
  /**
   * Those that fit what was looked for, in the order of the configuration; MAX_ROWS at most: if there are more, those in
   * trouble, then the busiest.
   */
  readonly sites: readonly SiteOverview[];
  readonly siteCount: number;
  /** Requests on their way to a target or back, on all of them. */
  readonly inflight: number;
  readonly targets: readonly TargetOverview[];
  readonly targetCount: number;
  /** null: nothing has been counted. */
  readonly traffic: (Traffic & { readonly stepMs: number; readonly stepAt: number }) | null;
  /** Newest first, at most MAX_ERRORS. */
  readonly errors: readonly RecentError[];
}

export interface SiteOverview {
  /** `onDemand`: all names that have a certificate on demand; '': requests that no site was found for. */
  readonly site: string;
  readonly certificate: HostCertificate | null;
  readonly inflight: number;
  /** Within the steps. */
  readonly requests: number;
  readonly errors: number;
  /** Oldest first, the one under way last; null when nothing was counted. */
  readonly requestSteps: readonly number[] | null;
  readonly errorSteps: readonly number[] | null;
}

export interface TargetOverview extends TargetReport {
  readonly state: ReturnType<typeof targetState>;
  /** Of the last minute or two; null: it has not answered. */
  readonly latency: Latency | null;
}

const MAX_ROWS = 200;
const MAX_ERRORS = 50;

/** `find`: what the names of sites and targets have in them, in any case. */
export async function overview(services: AdminServices, digest: CertificateDigest, find = ''): Promise<Overview> {
  const [reports, certificates] = await Promise.all([services.reports(), digest.read()]);
  const now = services.clock.now();
  const status = statusOf(services, reports);
  const traffic = trafficTogether(reports.map((report) => report.traffic));
  const targets = targetsTogether(reports);
  const wanted = find.toLowerCase();
  const isWanted = (name: string): boolean => name.toLowerCase().includes(wanted);
  const hosts = services.config().sites.map(({ host }) => host);
  const sites = siteRows(hosts, certificates, traffic, inflightTogether(reports)).filter(({ site }) => isWanted(site));
  const targetRows = targets.filter(({ name }) => isWanted(name)).map(targetRow(traffic));
  return {
    at: now,
    status,
    troubles: troublesOf({ status, certificates: certificates.troubled, targets, traffic, now }),
    certificates: certificates.counts,
    sites: atMost(sites, worseSite),
    siteCount: sites.length,
    inflight: sum(targets.map((target) => target.inflight)),
    targets: atMost(targetRows, worseTarget),
    targetCount: targetRows.length,
    traffic: traffic === null ? null : { ...traffic.all, stepMs: STEP_MS, stepAt: traffic.stepAt },
    errors: traffic?.errors.slice(0, MAX_ERRORS) ?? [],
  };
}

function siteRows(
  hosts: readonly string[],
  { byHost }: CertificateOverview,
  traffic: TrafficReport | null,
  inflight: ReadonlyMap<string, number>,
): SiteOverview[] {
  const counted = new Map(traffic?.sites.map((site) => [site.site ?? '', site]));
  const others = [...counted.keys()].filter((site) => site === '' || site === 'onDemand');
  return [...hosts, ...others].map((site) => ({
    site,
    certificate: byHost.get(site) ?? null,
    inflight: inflight.get(site) ?? 0,
    ...countsOf(counted.get(site)),
  }));
}

type Counts = Pick<SiteOverview, 'requests' | 'errors' | 'requestSteps' | 'errorSteps'>;

function countsOf(traffic: SiteTraffic | undefined): Counts {
  if (traffic === undefined) return { requests: 0, errors: 0, requestSteps: null, errorSteps: null };
  const { requestSteps, errorSteps } = traffic;
  return { requests: sum(requestSteps), errors: sum(errorSteps), requestSteps, errorSteps };
}

/** In the order in which they were. */
function atMost<T>(rows: readonly T[], worseFirst: (a: T, b: T) => number): readonly T[] {
  if (rows.length <= MAX_ROWS) return rows;
  const chosen = new Set([...rows].sort(worseFirst).slice(0, MAX_ROWS));
  return rows.filter((row) => chosen.has(row));
}

function worseSite(a: SiteOverview, b: SiteOverview): number {
  const isTroubled = ({ certificate }: SiteOverview): number =>
    Number(certificate !== null && certificate.state !== 'valid');
  return isTroubled(b) - isTroubled(a) || b.errors - a.errors || b.requests - a.requests;
}

function targetRow(traffic: TrafficReport | null): (target: TargetReport) => TargetOverview {
  const latencies = new Map(traffic?.targets.map((each) => [each.target, each.latencies]));
  return (target) => ({ ...target, state: targetState(target), latency: latencyOf(latencies.get(target.name) ?? []) });
}

function worseTarget(a: TargetOverview, b: TargetOverview): number {
  return Number(b.state !== 'ok') - Number(a.state !== 'ok') || b.inflight - a.inflight;
}
