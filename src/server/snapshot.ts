// Everything a request looks up, built whole from one config and never changed: host → site → route's handler.
import { isDeepStrictEqual } from 'node:util';
import type { Config, RouteConfig, SiteTls, TargetAddress } from '../config/config.ts';
import type { Logger } from '../core/log.ts';
import { proxyHandler } from '../handlers/proxy.ts';
import { redirectHandler } from '../handlers/redirect.ts';
import { respondHandler } from '../handlers/respond.ts';
import type { Handler } from '../http/exchange.ts';
import type { ExchangeListener } from '../http/exchange-feed.ts';
import { Tracing } from '../http/tracing.ts';
import { TrustedProxies } from '../http/trusted-proxies.ts';
import { SiteTallies } from '../observe/metrics/site-tallies.ts';
import { HostTable } from '../router/host-table.ts';
import { PathTable } from '../router/path-table.ts';
import type { Target } from '../upstream/target.ts';
import { Upstream } from '../upstream/upstream.ts';

export interface Site {
  /** As the configuration has it; `onDemand` for all names that have a certificate on demand. */
  readonly host: string;
  /** Equal for sites that are served on the same terms of TLS, so that one connection may carry requests for both. */
  readonly tlsTerms: string;
  readonly routes: PathTable<Route>;
  /** Where exchanges are counted that come to none of its routes; null: nowhere. */
  readonly tally: ExchangeListener | null;
}

export interface Route {
  /** Its path in the configuration. */
  readonly path: string;
  readonly handler: Handler;
  /** Where its exchanges are counted; null: nowhere. */
  readonly tally: ExchangeListener | null;
}

/** A site with what is to be known of it when another configuration comes. */
export interface BuiltSite extends Site {
  readonly tallies: SiteTallies;
  readonly config: readonly RouteConfig[];
  /** Those of its routes, and of former routes of it that may have tunnels under way. */
  readonly upstreams: readonly Upstream[];
}

export interface Snapshot {
  /** What it was built from. */
  readonly config: Config;
  /** In the order of the configuration; the one for names on demand, if there is one, last. */
  readonly all: readonly BuiltSite[];
  readonly sites: HostTable<Site>;
  /** null: requests are not followed in traces. */
  readonly tracing: Tracing | null;
}

export interface SnapshotServices {
  /** The live target of an address; the same one for the same address. */
  readonly target: (address: TargetAddress) => Target;
  /** Whether a host that no site has got a certificate on demand: certs/on-demand. */
  readonly servesOnDemand?: (host: string) => boolean;
  readonly log: Logger;
}

/** `before`: the one in force, whose sites are taken over where nothing about them changes. */
export function buildSnapshot(config: Config, services: SnapshotServices, before: Snapshot | null = null): Snapshot {
  const builder = new SiteBuilder(config, services, before);
  const sites = config.sites.map(({ host, routes, tls }) => builder.site(host, routes, tlsTermsOf(tls)));
  const byHost = new Map<string, Site>(sites.map((site) => [site.host, site]));
  const { onDemand } = config;
  const { servesOnDemand } = services;
  const { tracing } = builder;
  if (onDemand === null || servesOnDemand === undefined)
    return { config, all: sites, sites: new HostTable(byHost), tracing };
  const others = builder.site(ON_DEMAND, onDemand.routes, 'on-demand');
  const table = new HostTable<Site>(byHost, { site: others, has: servesOnDemand });
  return { config, all: [...sites, others], sites: table, tracing };
}

/** In place of a host. */
export const ON_DEMAND = 'onDemand';

class SiteBuilder {
  readonly tracing: Tracing | null;
  readonly #services: SnapshotServices;
  readonly #known: ReadonlyMap<string, BuiltSite>;
  readonly #isAlike: boolean;
  readonly #underscoreHeaders: ReadonlySet<string>;
  readonly #trustedProxies: TrustedProxies;

  constructor(config: Config, services: SnapshotServices, before: Snapshot | null) {
    this.#isAlike = before !== null && isDeepStrictEqual(wideOf(before.config), wideOf(config));
    this.#services = services;
    this.tracing = tracingOf(config);
    this.#known = new Map(before?.all.map((site) => [site.host, site]));
    this.#underscoreHeaders = new Set(config.underscoreHeaders);
    this.#trustedProxies = new TrustedProxies(config.trustedProxies);
  }

  site(host: string, routes: readonly RouteConfig[], tlsTerms: string): BuiltSite {
    const known = this.#known.get(host);
    if (this.#isAlike && known?.tlsTerms === tlsTerms && isDeepStrictEqual(known.config, routes)) return known;
    const upstreams = known?.upstreams.filter(({ busy }) => busy) ?? [];
    const paths = routes.map(({ path }) => path);
    const tallies = new SiteTallies(host, paths, known?.tallies ?? null);
    const values = routes.map((route) => {
      const { path } = route;
      return { path, value: { path, handler: this.#handler(route, upstreams), tally: tallies.route(path) } };
    });
    return {
      host,
      config: routes,
      tlsTerms,
      routes: new PathTable<Route>(values),
      upstreams,
      tally: tallies.none,
      tallies,
    };
  }

  #handler({ action, maxBodyBytes }: RouteConfig, upstreams: Upstream[]): Handler {
    switch (action.kind) {
      case 'redirect':
        return redirectHandler(action.status, action.location);
      case 'respond':
        return respondHandler(action.status, action.contentType, action.body);
      case 'proxy': {
        const { target, log } = this.#services;
        const upstream = new Upstream(action.targets.map(target));
        upstreams.push(upstream);
        const [underscoreHeaders, trustedProxies] = [this.#underscoreHeaders, this.#trustedProxies];
        const { tracing } = this;
        return proxyHandler({ upstream, trustedProxies, underscoreHeaders, maxBodyBytes, tracing, log });
      }
    }
  }
}

/** What every site of a configuration depends on. */
function wideOf({ underscoreHeaders, trustedProxies, tracing }: Config): unknown {
  return { underscoreHeaders, trustedProxies, tracing };
}

/** null: requests are not followed in traces. */
export function tracingOf({ tracing }: Config): Tracing | null {
  return tracing === null ? null : new Tracing({ sampleRatio: tracing.sampleRatio, exported: tracing.export !== null });
}

function tlsTermsOf(tls: SiteTls): string {
  switch (tls.kind) {
    case 'local':
      return 'local';
    case 'supplied':
      return JSON.stringify(['supplied', tls.files]);
    case 'acme':
      return JSON.stringify(['acme', tls.directories, tls.keyTypes, tls.profile, tls.group]);
  }
}
