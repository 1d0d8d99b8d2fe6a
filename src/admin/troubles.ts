// What needs somebody, worst first: what is broken, since when, and in whose words. Pure; `perantara top` and the dashboard show it.
import type { CertificateStatus } from '../certs/certificate-status.ts';
import { STEP_MS } from '../observe/traffic/step-ring.ts';
import { latestSteps, type SiteTraffic, sum, type TrafficReport } from '../observe/traffic/traffic-report.ts';
import type { TargetReport } from '../server/worker-report.ts';
import type { ProcessStatus } from './process-status.ts';

/** Times in milliseconds since the epoch. Texts come from strangers too: whoever shows them makes them safe. */
export interface Trouble {
  /** `bad`: somebody gets no answer, or soon will not; `note`: an operator's doing. */
  readonly severity: 'bad' | 'warning' | 'note';
  readonly about: 'process' | 'configuration' | 'certificate' | 'target' | 'site';
  /** A name, or ''. */
  readonly subject: string;
  readonly text: string;
  /** null: nobody knows. */
  readonly since: number | null;
  /** What was said about it, as it was said, or null. */
  readonly words: string | null;
  readonly whose: string | null;
}

export interface TroubleSources {
  readonly status: ProcessStatus;
  /** Those that are not in order. */
  readonly certificates: readonly CertificateStatus[];
  readonly targets: readonly TargetReport[];
  readonly traffic: TrafficReport | null;
  readonly now: number;
}

export const MAX_TROUBLES = 50;

const DAY_MS = 86_400_000;
/** A certificate that is not renewed and ends within this is bad. */
const SOON_MS = 3 * DAY_MS;
/** Whoever supplies certificates should be about it by then. */
export const SUPPLIED_MS = 14 * DAY_MS;
/** So many steps, the one under way not among them, make a rate: a minute. */
const MINUTE_STEPS = 12;
const MINUTE_MS = MINUTE_STEPS * STEP_MS;
/** From so many errors in a minute, and that part of all requests, a site is in trouble. */
const MIN_ERRORS = 3;
const MIN_RATIO = 0.05;

const SEVERITIES: readonly Trouble['severity'][] = ['bad', 'warning', 'note'];

export function troublesOf(sources: TroubleSources): readonly Trouble[] {
  const { status, certificates, targets, traffic, now } = sources;
  const all = [
    ...processTroubles(status),
    ...targets.flatMap(targetTrouble),
    ...certificates.map((certificate) => certificateTrouble(certificate, now)),
    ...(traffic === null ? [] : traffic.sites.flatMap((site) => siteTrouble(site, traffic))),
  ];
  return all.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)).slice(0, MAX_TROUBLES);
}

function processTroubles({ state, lastReload }: ProcessStatus): Trouble[] {
  const troubles: Trouble[] = [];
  const none = { subject: '', since: null, words: null, whose: null };
  if (state === 'stopping')
    troubles.push({ ...none, severity: 'note', about: 'process', text: 'stopping: the last requests are finished' });
  if (lastReload?.accepted === false) {
    const text = 'the last reload was refused: what runs is not what stands in the file';
    const { at: since, message: words } = lastReload;
    troubles.push({ ...none, severity: 'warning', about: 'configuration', text, since, words, whose: 'Perantara' });
  }
  return troubles;
}

function targetTrouble({ name, drained, failure, inflight }: TargetReport): Trouble[] {
  const about = 'target';
  if (drained) {
    const text = inflight === 0 ? 'drained, nothing is under way on it' : `drained, ${inflight} under way on it`;
    return [{ severity: 'note', about, subject: name, text, since: null, words: null, whose: null }];
  }
  if (failure === null) return [];
  const { count, sinceAt: since, message: words } = failure;
  const text = count === 1 ? 'the last request failed' : `the last ${count} requests failed`;
  return [{ severity: 'bad', about, subject: name, text, since, words, whose: name }];
}

function certificateTrouble(certificate: CertificateStatus, now: number): Trouble {
  const { names, state, notAfter, lastError, authority } = certificate;
  const subject = names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(', ');
  const [words, whose] = lastError === null ? [null, null] : [lastError.message, authority];
  const trouble = { about: 'certificate', subject, since: lastError?.at ?? null, words, whose } as const;
  if (notAfter === null) {
    const waits = lastError === null ? 'no certificate yet' : 'no certificate: clients are refused';
    return { ...trouble, severity: lastError === null ? 'warning' : 'bad', text: waits };
  }
  if (state === 'expired' || notAfter <= now)
    return { ...trouble, severity: 'bad', text: 'the certificate has expired', since: notAfter };
  const days = Math.floor((notAfter - now) / DAY_MS);
  const left = `${days} ${days === 1 ? 'day' : 'days'} left`;
  const text = state === 'failing' ? `renewal fails, ${left}` : `ends soon, ${left}: nobody renews it but you`;
  return { ...trouble, severity: notAfter - now < SOON_MS ? 'bad' : 'warning', text };
}

function siteTrouble(site: SiteTraffic, { errors, stepAt }: TrafficReport): Trouble[] {
  if (site.site === null) return [];
  const [failed, requests] = [
    sum(latestSteps(site.errorSteps, MINUTE_STEPS)),
    sum(latestSteps(site.requestSteps, MINUTE_STEPS)),
  ];
  if (failed < MIN_ERRORS || failed < requests * MIN_RATIO) return [];
  const own = errors.filter((error) => error.site === site.site && error.lastAt >= stepAt - MINUTE_MS);
  const percent = Math.round((failed / requests) * 100);
  const text = `${percent} % of its requests failed within a minute`;
  const [latest] = own;
  const since = latest === undefined ? null : Math.min(...own.map(({ firstAt }) => firstAt));
  const [words, whose] = latest === undefined ? [null, null] : [latest.message, latest.target];
  return [{ severity: 'bad', about: 'site', subject: site.site, text, since, words, whose }];
}
