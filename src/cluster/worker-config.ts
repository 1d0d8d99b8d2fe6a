// What a worker is given of the configuration: all that requests are answered by, and no secret that it has no use for.
import type { Config, SiteConfig } from '../config/config.ts';
import type { GivenConfig } from './calls.ts';

/** A worker that may have so many connections does not feel that the kernel shares them out by chance. */
const EVEN_CONNECTIONS = 1_000;

/** Whether workers ask about each connection: few are allowed, or few from one address, which may come to any of them. */
export function isCountedTogether({ limits }: Config, workers: number): boolean {
  return Number.isFinite(limits.connectionsPerAddress) || limits.connections < EVEN_CONNECTIONS * workers;
}

/** `workers`: how many there are. What may be open in all is divided among them, unless it is counted together. */
export function givenConfig(whole: Config, workers: number): GivenConfig {
  const { admin, limits, onDemand, sites } = whole;
  const isTogether = isCountedTogether(whole, workers);
  const config: Config = {
    ...whole,
    acme: [],
    dns: null,
    onDemand: onDemand && { ...onDemand, ask: '' },
    onEvent: null,
    admin: admin?.kind === 'loopback' ? { ...admin, token: '' } : admin,
    limits: isTogether ? limits : { ...limits, connections: Math.ceil(limits.connections / workers) },
    sites: sites.map(withoutKey),
  };
  return { config, isCountedTogether: isTogether };
}

/** Certificates are announced. */
function withoutKey(site: SiteConfig): SiteConfig {
  return site.tls.kind === 'supplied' ? { ...site, tls: { ...site.tls, certPem: '', keyPem: '' } } : site;
}
