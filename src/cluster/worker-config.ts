// What a worker is given of the configuration: all that requests are answered by, and no secret that it has no use for.
import type { Config, SiteConfig } from '../config/config.ts';

/** `workers`: how many there are. What may be open in all is divided among them, since none knows of the others. */
export function workerConfig(config: Config, workers: number): Config {
  const { admin, limits, sites } = config;
  return {
    ...config,
    acme: [],
    dns: null,
    onEvent: null,
    admin: admin?.kind === 'loopback' ? { ...admin, token: '' } : admin,
    limits: { ...limits, connections: Math.ceil(limits.connections / workers) },
    sites: sites.map(withoutKey),
  };
}

/** Certificates are announced. */
function withoutKey(site: SiteConfig): SiteConfig {
  return site.tls.kind === 'supplied' ? { ...site, tls: { ...site.tls, certPem: '', keyPem: '' } } : site;
}
