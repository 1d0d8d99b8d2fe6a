// The names of a configuration that metrics have as labels.
import type { Config, RouteConfig } from '../config/config.ts';
import type { ConfiguredNames } from '../observe/metrics/metrics-sums.ts';
import { NONE } from '../observe/metrics/site-tallies.ts';
import { ON_DEMAND } from './snapshot.ts';
import { targetNames } from './target-registry.ts';

export function configuredNames(config: Config): ConfiguredNames {
  const { sites, onDemand } = config;
  const routes = new Map<string, readonly RouteConfig[]>(sites.map((site) => [site.host, site.routes]));
  if (onDemand !== null) routes.set(ON_DEMAND, onDemand.routes);
  const paths = new Map([...routes].map(([site, all]) => [site, new Set(all.map(({ path }) => path).concat(NONE))]));
  const targets = targetNames(config);
  return {
    hasRoute: (site, route) => site === NONE || paths.get(site)?.has(route) === true,
    hasTarget: (name) => targets.has(name),
  };
}
