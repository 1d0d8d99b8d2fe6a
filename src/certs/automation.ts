// Puts the parts together for one config: which site gets its certificate from where. Starts nothing.
import { createRequire } from 'node:module';
import type { SecureContextOptions } from 'node:tls';
import type { Config, SiteConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { AcmeIssuer } from './acme/issuer.ts';
import { AlpnCertificates } from './alpn-certificates.ts';
import { CertificateStore } from './certificate-store.ts';
import { ChallengeTokens } from './challenges.ts';
import { createDnsSolvers } from './dns/solvers.ts';
import { FileLocker } from './file-locker.ts';
import { FileStorage } from './file-storage.ts';
import { HttpSolver } from './http-solver.ts';
import { LocalCa } from './local-ca.ts';
import { CertificateManager, type WantedCertificate } from './manager.ts';
import { CertificateResolver, type ServedCertificate } from './resolver.ts';
import { SharedTokens } from './shared-tokens.ts';

export interface CertificateAutomationServices {
  readonly log: Logger;
  readonly clock: Clock;
  /** For every secure context, without `cert` and `key`. */
  readonly contextOptions: SecureContextOptions;
}

export interface CertificateAutomation {
  /** To be started and closed by the owner. */
  readonly manager: CertificateManager;
  /** What handshakes read. */
  readonly resolver: CertificateResolver;
  /** What the challenge handler reads. */
  readonly challenges: ChallengeTokens;
  /** What handshakes of validators read. */
  readonly alpnChallenges: AlpnCertificates;
  /** Where the local root certificate lies, or will. */
  readonly localRootPath: string;
}

export function createCertificateAutomation(
  config: Config,
  { log, clock, contextOptions }: CertificateAutomationServices,
): CertificateAutomation {
  const storage = new FileStorage(config.storage);
  const locker = new FileLocker(config.storage);
  const challenges = new ChallengeTokens(new SharedTokens({ storage, clock, log }));
  const alpnChallenges = new AlpnCertificates({ contextOptions, clock });
  const resolver = new CertificateResolver({ contextOptions, log });
  const localCa = new LocalCa({ storage, locker, log, clock });
  const solvers = [new HttpSolver(challenges), alpnChallenges, ...createDnsSolvers(config.dns, { log, clock })];
  const { directory: directoryUrl, email, trust, binding, preferredChain } = config.acme[0]!;
  const common = { storage, locker, log, clock };
  const acme = new AcmeIssuer({
    directoryUrl,
    email,
    trust,
    binding,
    preferredChain,
    solvers,
    userAgent: userAgent(),
    ...common,
  });

  /** One value, and so one secure context, for a certificate that many sites have; config loading has checked it. */
  const supplied = new Map<string, ServedCertificate>();
  const want = ({ host, tls }: SiteConfig): WantedCertificate => {
    if (tls.kind !== 'supplied') return { host, kind: 'managed', issuer: tls.kind === 'local' ? localCa : acme };
    const id = tls.certPem + tls.keyPem;
    const certificate = supplied.get(id) ?? { certPem: tls.certPem, keyPem: tls.keyPem };
    supplied.set(id, certificate);
    return { host, kind: 'supplied', certificate };
  };
  const manager = new CertificateManager(config.sites.map(want), {
    ...common,
    store: new CertificateStore(storage, log),
    publisher: resolver,
    random: Math.random,
  });
  return { manager, resolver, challenges, alpnChallenges, localRootPath: localCa.rootPath };
}

/** CAs ask clients to say who they are (RFC 8555 section 6.1). */
function userAgent(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return `perantara/${version}`;
}
