// Puts issuance on demand together for one config. Starts nothing.
import type { Config, OnDemandConfig } from '../../config/config.ts';
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
}

export function createOnDemand(
  onDemand: OnDemandConfig,
  { sites, dns }: Pick<Config, 'sites' | 'dns'>,
  { contexts, issuers, ...services }: OnDemandSurroundings,
): OnDemandCertificates {
  const { log, clock } = services;
  const hosts = new Set(sites.map(({ host }) => host));
  const isConfigured = (name: string): boolean => hosts.has(name) || hosts.has(wildcardOf(name) ?? name);
  const challenges = ['http-01', 'tls-alpn-01', ...(dns === null ? [] : (['dns-01'] as const))] as const;
  return new OnDemandCertificates(onDemand, {
    issuance: new OnDemandManaged({ issuers, challenges }, services),
    asks: new AskClient({ ...onDemand, log, clock }),
    contexts,
    isConfigured,
    log,
    clock,
  });
}
