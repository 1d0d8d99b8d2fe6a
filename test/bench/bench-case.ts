// What a case is: a load for one proxy and the figures that matter in it.
import { setTimeout as delay } from 'node:timers/promises';
import type { CaseName } from './cases.ts';
import type { UpstreamKind } from './contestants/contestant.ts';
import type { VariantName } from './contestants/perantara.ts';
import type { Http2Request } from './load/http2-request.ts';
import type { Outcome } from './load/outcome.ts';
import type { LoadRig } from './load/rig.ts';
import type { OriginKind } from './origin.ts';
import { usageOf } from './process-tree.ts';

/** One counted run. */
export interface Sample {
  /** User and system time of the proxy's process tree for one unit of the case; null where that is not the figure. */
  readonly cpuUs: number | null;
  readonly perSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  /** At the end of the run. */
  readonly rssBytes: number;
  /** `idle` only. */
  readonly bytesPerConnection: number | null;
  readonly errors: readonly string[];
}

/** The proxy under test and the means to load it. */
export interface Subject {
  readonly rig: LoadRig;
  readonly port: number;
  readonly pid: number;
  readonly seconds: number;
  /** Units per second in the warm-up. */
  readonly warmRate: number;
}

export interface BenchCase {
  readonly name: CaseName;
  readonly title: string;
  /** The load, in a sentence for the page. */
  readonly load: string;
  readonly unit: 'request' | 'handshake' | 'message' | 'connection';
  /** null: the proxy answers by itself. */
  readonly origin: OriginKind | null;
  /** How the proxy speaks to the origin. */
  readonly upstream: UpstreamKind;
  /** What is asked for over HTTP/2, and checked once before the load; null: the load speaks HTTP/1.1. */
  readonly http2: Http2Request | null;
  /** Each run needs a proxy that has served nothing but its warm-up. */
  readonly needsFreshProcess: boolean;
  /** Perantara runs beside this variant of it, and nobody else does. null: beside its peers. */
  readonly variant: VariantName | null;
  /** Whether it is h2load that makes the load. */
  readonly needsH2load: boolean;
  readonly warmUp: (subject: Subject) => Promise<Outcome>;
  readonly run: (subject: Subject) => Promise<Sample>;
}

/** After this a proxy has closed what the load left behind, and has written its last. */
const SETTLE_MS = 200;

export interface LoadedCase {
  readonly title: string;
  readonly load: string;
  /** Default request. */
  readonly unit?: BenchCase['unit'];
  /** Default content. */
  readonly origin?: OriginKind | null;
  /** Default http1. */
  readonly upstream?: UpstreamKind;
  /** Default null. */
  readonly http2?: Http2Request;
  /** Default null. */
  readonly variant?: VariantName;
  /** Default 1. */
  readonly warmUpFactor?: number;
  readonly apply: (subject: Subject) => Promise<Outcome>;
}

/** A case whose figure is processor time per unit. */
export function loaded(name: CaseName, options: LoadedCase): BenchCase {
  const { title, load, unit = 'request', origin = 'content', upstream = 'http1', http2 = null, apply } = options;
  return {
    name,
    title,
    load,
    unit,
    origin,
    upstream,
    http2,
    needsFreshProcess: false,
    variant: options.variant ?? null,
    needsH2load: http2 !== null,
    warmUp: (subject) => apply({ ...subject, seconds: subject.seconds * (options.warmUpFactor ?? 1) }),
    run: async (subject) => {
      const before = usageOf(subject.pid);
      const outcome = await apply(subject);
      await delay(SETTLE_MS);
      const after = usageOf(subject.pid);
      const errors = outcome.count > 0 ? outcome.errors : [...outcome.errors, 'nothing was completed'];
      return {
        cpuUs: outcome.count > 0 ? ((after.cpuMs - before.cpuMs) * 1_000) / outcome.count : null,
        perSecond: outcome.count / outcome.seconds,
        p50Us: outcome.p50Us,
        p99Us: outcome.p99Us,
        rssBytes: after.rssBytes,
        bytesPerConnection: null,
        errors,
      };
    },
  };
}
