// Puts issuance on demand together for one config. Starts nothing.
import type { DnsConfig, OnDemandConfig, SiteConfig } from '../../config/config.ts';
import { wildcardOf } from '../../core/hostname.ts';
import type { CertificatePublisher } from '../certificate-publisher.ts';
import type { ManagedCertificateServices } from '../managed-certificate-services.ts';
import type { WantedIssuer } from '../wanted-certificate.ts';
import { AskClient } from './ask.ts';
import { OnDemandManaged } from './certificates.ts';
import type { OnStored } from './demanded-names.ts';
import { OnDemandCertificates } from './on-demand.ts';
import type { DemandContexts } from './shelf.ts';

export interface OnDemandSurroundings extends Omit<ManagedCertificateServices, 'store'> {
  readonly contexts: DemandContexts;
  /** In the order to try. At least one. */
  readonly issuers: readonly WantedIssuer[];
  readonly dns: DnsConfig | null;
  readonly onStored?: OnStored;
  /** Those of the config in force. */
  readonly sites: () => readonly SiteConfig[];
}

export function createOnDemand(
  onDemand: OnDemandConfig,
  { contexts, issuers, dns, sites, onStored = () => {}, ...services }: OnDemandSurroundings,
): OnDemandCertificates {
  const { log, clock } = services;
  const challenges = ['http-01', 'tls-alpn-01', ...(dns === null ? [] : (['dns-01'] as const))] as const;
  const configured = new ConfiguredHosts(sites);
  const isConfigured = (name: string): boolean => configured.has(name);
  // A turn that ends late would put its certificate in the place of what is served by then.
  const publisher = new GuardedPublisher(services.publisher, (name) => !isConfigured(name) && certificates.isOpen);
  const certificates: OnDemandCertificates = new OnDemandCertificates(onDemand, {
    issuance: new OnDemandManaged({ issuers, challenges }, { ...services, publisher }),
    asks: new AskClient({ ...onDemand, log, clock }),
    contexts,
    isConfigured,
    isSite: (name) => configured.hasSite(name),
    onStored,
    log,
    clock,
  });
  return certificates;
}

/** The hosts of the sites in force, counted anew when those have changed. */
class ConfiguredHosts {
  readonly #sites: () => readonly SiteConfig[];
  #counted: readonly SiteConfig[] = [];
  #hosts: ReadonlySet<string> = new Set();

  constructor(sites: () => readonly SiteConfig[]) {
    this.#sites = sites;
  }

  /** `name` in normal form. Also of a wildcard. */
  has(name: string): boolean {
    return this.hasSite(name) || this.#hosts.has(wildcardOf(name) ?? name);
  }

  hasSite(name: string): boolean {
    const sites = this.#sites();
    if (sites !== this.#counted) this.#hosts = new Set(sites.map(({ host }) => host));
    this.#counted = sites;
    return this.#hosts.has(name);
  }
}

/** Passes on what is told of names that `allows`. */
class GuardedPublisher implements CertificatePublisher {
  readonly #publisher: CertificatePublisher;
  readonly #allows: (pattern: string) => boolean;

  constructor(publisher: CertificatePublisher, allows: (pattern: string) => boolean) {
    this.#publisher = publisher;
    this.#allows = allows;
  }

  publish(...[pattern, certificate, part]: Parameters<CertificatePublisher['publish']>): void {
    if (this.#allows(pattern)) this.#publisher.publish(pattern, certificate, part);
  }

  restore(...[pattern, certificate, part]: Parameters<CertificatePublisher['restore']>): void {
    if (this.#allows(pattern)) this.#publisher.restore(pattern, certificate, part);
  }

  withdraw(...[pattern, part]: Parameters<CertificatePublisher['withdraw']>): void {
    if (this.#allows(pattern)) this.#publisher.withdraw(pattern, part);
  }
}
