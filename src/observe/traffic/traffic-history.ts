// What went through this process lately, for whoever looks at it: counted while somebody may. Hot: per exchange two look-ups
// and a few counters, nothing is made. Everything is keyed by names of the configuration, so strangers cannot make it grow.
import { type Clock, monotonicMs } from '../../core/clock.ts';
import type { ExchangeFeed, ExchangeListener } from '../../http/exchange-feed.ts';
import type { ExchangeRecord } from '../../http/exchange-record.ts';
import { reasonPhrase } from '../../http/status.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { RecentErrors } from './recent-errors.ts';
import { STEP_MS, StepRing } from './step-ring.ts';
import {
  type SiteTraffic,
  type TargetTraffic,
  type Traffic,
  type TrafficReport,
  type Weighed,
  worstFirst,
} from './traffic-report.ts';

/** Ends of exchanges that are nobody's fault: the operator's doing. */
const INTENDED: ReadonlySet<string> = new Set(['shutting_down', 'site_removed']);

export class TrafficHistory implements ExchangeListener {
  readonly #clock: Clock;
  /** What is added to monotonic time so that steps begin at multiples of STEP_MS of the wall clock. */
  readonly #offsetMs: number;
  readonly #all = new Counters();
  readonly #sites = new Map<string | null, Counters>();
  readonly #targets = new Map<string, LatencyHistogram>();
  readonly #errors = new RecentErrors();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - monotonicMs();
  }

  /** Forgets sites and targets that are not configured any more. */
  keepOnly(sites: ReadonlySet<string>, targets: ReadonlySet<string>): void {
    for (const site of this.#sites.keys()) if (site !== null && !sites.has(site)) this.#sites.delete(site);
    for (const target of this.#targets.keys()) if (!targets.has(target)) this.#targets.delete(target);
  }

  listen(records: ExchangeFeed, isWanted: boolean): void {
    if (isWanted) records.add(this);
    else records.delete(this);
  }

  onExchange(record: ExchangeRecord): void {
    const { site, upstream, status, error, outcome } = record;
    const step = Math.floor((record.endedAtMs + this.#offsetMs) / STEP_MS);
    const blame = blameOf(record);
    this.#all.count(step, status, blame);
    let counters = this.#sites.get(site);
    if (counters === undefined) {
      counters = new Counters();
      this.#sites.set(site, counters);
    }
    counters.count(step, status, blame);
    if (blame !== 'nobody') this.#note(record);
    if (upstream === null || status === 0 || !(error === null || outcome === 'cut' || outcome === 'client_gone'))
      return;
    let histogram = this.#targets.get(upstream);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.#targets.set(upstream, histogram);
    }
    histogram.add(record.respondedAtMs - record.beganAtMs, record.endedAtMs);
    histogram.answeredMs = Math.max(histogram.answeredMs, record.respondedAtMs);
  }

  read(): TrafficReport {
    const now = monotonicMs();
    const step = Math.floor((now + this.#offsetMs) / STEP_MS);
    // The wall clock may have been put right since.
    const jumped = Math.round((this.#clock.now() - now - this.#offsetMs) / STEP_MS);
    return {
      stepAt: (step + jumped) * STEP_MS,
      all: this.#all.read(step),
      sites: this.#readSites(step),
      targets: this.#readTargets(now),
      errors: this.#errors.read(),
    };
  }

  /** As TrafficReport has them. Only those are read whole that are told of: there may be ten thousand. */
  #readSites(step: number): readonly SiteTraffic[] {
    const busy: (Weighed & { readonly site: string | null; readonly counters: Counters })[] = [];
    for (const [site, counters] of this.#sites) {
      const { requests, errors } = counters.sums(step);
      if (requests > 0) busy.push({ site, counters, requests, errors });
    }
    return worstFirst(busy).map(({ site, counters }) => ({ site, ...counters.read(step) }));
  }

  #readTargets(now: number): readonly TargetTraffic[] {
    const busy: (Weighed & { readonly target: string; readonly histogram: LatencyHistogram })[] = [];
    for (const [target, histogram] of this.#targets)
      busy.push({ target, histogram, requests: histogram.count(now), errors: 0 });
    const offsetMs = this.#clock.now() - now;
    return worstFirst(busy).map(({ target, histogram }) => ({
      target,
      latencies: histogram.read(now),
      answeredAt: Math.round(offsetMs + histogram.answeredMs),
    }));
  }

  #note({ site, route, upstream, status, error }: ExchangeRecord): void {
    const code = error?.code ?? `status_${status}`;
    const message = error?.message ?? `answered ${status} ${reasonPhrase(status)}`.trimEnd();
    this.#errors.add({ site, route, target: upstream, code, message }, this.#clock.now());
  }
}

type Culprit = 'nobody' | 'us' | 'target';

/** Whose error it is; requests that were refused, and clients that left, are nobody's, as are answers that the file asks for. */
function blameOf({ outcome, status, upstream, error }: ExchangeRecord): Culprit {
  switch (outcome) {
    case 'complete':
      return status >= 500 && upstream !== null ? 'target' : 'nobody';
    case 'upstream_failed':
    case 'failed':
      return 'us';
    case 'cut':
      return error !== null && INTENDED.has(error.code) ? 'nobody' : 'us';
    default:
      return 'nobody';
  }
}

class Counters {
  #requests = 0;
  #ownErrors = 0;
  #targetErrors = 0;
  readonly #answers = [0, 0, 0, 0, 0, 0];
  readonly #ring = new StepRing();

  count(step: number, status: number, blame: Culprit): void {
    this.#requests++;
    this.#answers[Math.min(5, (status / 100) | 0)]!++;
    if (blame === 'us') this.#ownErrors++;
    else if (blame === 'target') this.#targetErrors++;
    this.#ring.count(step, blame !== 'nobody');
  }

  sums(step: number): Weighed {
    return this.#ring.sums(step);
  }

  read(step: number): Traffic {
    const [requests, ownErrors, targetErrors] = [this.#requests, this.#ownErrors, this.#targetErrors];
    const answers = [...this.#answers];
    const steps = this.#ring.read(step);
    return { requests, answers, ownErrors, targetErrors, requestSteps: steps.requests, errorSteps: steps.errors };
  }
}
