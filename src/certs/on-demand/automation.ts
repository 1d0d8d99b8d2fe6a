// Puts issuance on demand together for one config. Starts nothing.
import type { DnsConfig, OnDemandConfig, SiteConfig } from '../../config/config.ts';
import { wildcardOf } from '../../core/hostname.ts';
import type { ManagedCertificateServices } from '../managed-certificate-services.ts';
import type { WantedIssuer } from '../wanted-certificate.ts';
import { AskClient } from './ask.ts';
import { OnDemandManaged } from './certificates.ts';
import { OnDemandCertificates } from './on-demand.ts';
import type { DemandContexts } from './shelf.ts';

export interface OnDemandSurroundings extends Omit<ManagedCertificateServices, 'store'> {
  readonly contexts: DemandContexts;
  /** In the order to try. At least one. */
  readonly issuers: readonly WantedIssuer[];
  readonly dns: DnsConfig | null;
  /** Those of the config in force. */
  readonly sites: () => readonly SiteConfig[];
}

export function createOnDemand(
  onDemand: OnDemandConfig,
  { contexts, issuers, dns, sites, ...services }: OnDemandSurroundings,
): OnDemandCertificates {
  const { log, clock } = services;
  const challenges = ['http-01', 'tls-alpn-01', ...(dns === null ? [] : (['dns-01'] as const))] as const;
  const configured = new ConfiguredHosts(sites);
  return new OnDemandCertificates(onDemand, {
    issuance: new OnDemandManaged({ issuers, challenges }, services),
    asks: new AskClient({ ...onDemand, log, clock }),
    contexts,
    isConfigured: (name) => configured.has(name),
    log,
    clock,
  });
}

/** The hosts of the sites in force, counted anew when those have changed. */
class ConfiguredHosts {
  readonly #sites: () => readonly SiteConfig[];
  #counted: readonly SiteConfig[] = [];
  #hosts: ReadonlySet<string> = new Set();

  constructor(sites: () => readonly SiteConfig[]) {
    this.#sites = sites;
  }

  /** `name` in normal form. */
  has(name: string): boolean {
    const sites = this.#sites();
    if (sites !== this.#counted) this.#hosts = new Set(sites.map(({ host }) => host));
    this.#counted = sites;
    return this.#hosts.has(name) || this.#hosts.has(wildcardOf(name) ?? name);
  }
}
