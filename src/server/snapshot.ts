// Everything a request looks up, built whole from one config and never changed: host → site → route's handler.
import type { Config, RouteConfig, SiteTls, TargetAddress } from '../config/config.ts';
import type { Logger } from '../core/log.ts';
import { proxyHandler } from '../handlers/proxy.ts';
import { redirectHandler } from '../handlers/redirect.ts';
import { respondHandler } from '../handlers/respond.ts';
import type { Handler } from '../http/exchange.ts';
import { TrustedProxies } from '../http/trusted-proxies.ts';
import { HostTable } from '../router/host-table.ts';
import { PathTable } from '../router/path-table.ts';
import type { Target } from '../upstream/target.ts';
import { Upstream } from '../upstream/upstream.ts';

export interface Site {
  readonly host: string;
  /** Equal for sites that are served on the same terms of TLS, so that one connection may carry requests for both. */
  readonly tlsTerms: string;
  readonly routes: PathTable<Handler>;
}

export interface Snapshot {
  readonly sites: HostTable<Site>;
}

export interface SnapshotServices {
  /** The live target of an address; the same one for the same address. */
  readonly target: (address: TargetAddress) => Target;
  /** Whether a host that no site has got a certificate on demand: certs/on-demand. */
  readonly servesOnDemand?: (host: string) => boolean;
  readonly log: Logger;
}

export function buildSnapshot(config: Config, services: SnapshotServices): Snapshot {
  const underscoreHeaders = new Set(config.underscoreHeaders);
  const trustedProxies = new TrustedProxies(config.trustedProxies);
  const toHandler = (route: RouteConfig): Handler => {
    const { action, maxBodyBytes } = route;
    switch (action.kind) {
      case 'redirect':
        return redirectHandler(action.status, action.location);
      case 'respond':
        return respondHandler(action.status, action.contentType, action.body);
      case 'proxy': {
        const upstream = new Upstream(action.targets.map(services.target));
        return proxyHandler({ upstream, trustedProxies, underscoreHeaders, maxBodyBytes, log: services.log });
      }
    }
  };
  const toSite = (host: string, routes: readonly RouteConfig[], tlsTerms: string): Site => ({
    host,
    tlsTerms,
    routes: new PathTable(routes.map((route) => ({ path: route.path, value: toHandler(route) }))),
  });
  const sites = new Map(config.sites.map(({ host, routes, tls }) => [host, toSite(host, routes, tlsTermsOf(tls))]));
  const { onDemand } = config;
  const { servesOnDemand } = services;
  const isDemanded = onDemand !== null && servesOnDemand !== undefined;
  const others = isDemanded ? { site: toSite('onDemand', onDemand.routes, 'on-demand'), has: servesOnDemand } : null;
  return { sites: new HostTable(sites, others) };
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
