// Puts the DNS solvers of one configuration together.
import { getServers } from 'node:dns';
import type { DnsConfig, DnsProviderConfig } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { ChallengeSolver } from '../challenges/challenge-solver.ts';
import { AcmeDnsProvider } from './acme-dns-provider.ts';
import { CloudflareProvider } from './cloudflare-provider.ts';
import { DnsPersistSolver } from './dns-persist-solver.ts';
import { Dns01Solver } from './dns01-solver.ts';
import { ExecProvider } from './exec-provider.ts';
import { DnsLookup } from './lookup.ts';
import type { DnsProvider } from './provider.ts';
import { Rfc2136Provider } from './rfc2136-provider.ts';
import { WebhookProvider } from './webhook-provider.ts';

export interface DnsSolverServices {
  readonly log: Logger;
  readonly clock: Clock;
}

/** DNS-PERSIST-01, and DNS-01 when there is somewhere to put its records. Throws a PerantaraError when a TSIG key cannot be used. */
export function createDnsSolvers(config: DnsConfig | null, services: DnsSolverServices): readonly ChallengeSolver[] {
  const lookup = createDnsLookup(config);
  const persist = new DnsPersistSolver({ lookup, ...services });
  if (config === null) return [persist];
  const provider = createProvider(config.provider, services.clock);
  return [new Dns01Solver({ provider, lookup, config, log: services.log }), persist];
}

/** Asks the configured resolvers, or those of the system as they are at each question. */
export function createDnsLookup(config: Pick<DnsConfig, 'resolvers'> | null): DnsLookup {
  const resolvers = config?.resolvers ?? [];
  return new DnsLookup({ resolvers: resolvers.length > 0 ? () => resolvers : getServers });
}

function createProvider(config: DnsProviderConfig, clock: Clock): DnsProvider {
  switch (config.kind) {
    case 'exec':
      return new ExecProvider(config);
    case 'webhook':
      return new WebhookProvider(config);
    case 'rfc2136':
      return new Rfc2136Provider({ ...config, clock });
    case 'acme-dns':
      return new AcmeDnsProvider(config);
    case 'cloudflare':
      return new CloudflareProvider(config);
  }
}
