// Puts the parts together for one config: which site gets its certificate from where. Starts nothing.
import type { SecureContextOptions } from 'node:tls';
import type { AcmeConfig, Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { AcmeIssuer } from './acme/issuer.ts';
import { userAgent } from './acme/user-agent.ts';
import { Authority } from './authority.ts';
import { type PlannedCertificate, planCertificates } from './certificate-plan.ts';
import { AlpnCertificates } from './challenges/alpn-certificates.ts';
import { ChallengeTokens } from './challenges/challenge-tokens.ts';
import { HttpSolver } from './challenges/http-solver.ts';
import { SharedTokens } from './challenges/shared-tokens.ts';
import { createDnsSolvers } from './dns/solvers.ts';
import type { CertificateEvent } from './events/certificate-event.ts';
import { EventHook } from './events/event-hook.ts';
import { LocalCa } from './local-ca.ts';
import type { ManagedCertificateServices } from './managed-certificate-services.ts';
import { CertificateManager } from './manager.ts';
import { createOnDemand } from './on-demand/automation.ts';
import type { OnDemandCertificates } from './on-demand/on-demand.ts';
import { limitsOf } from './renewal/budget.ts';
import { BudgetLedger } from './renewal/budget-ledger.ts';
import { CertificateResolver, type ServedCertificate } from './resolver.ts';
import { CertificateStore } from './storage/certificate-store.ts';
import { ChangeJournal } from './storage/change-journal.ts';
import { CompromisedKeys } from './storage/compromised-keys.ts';
import { FileLocker } from './storage/file-locker.ts';
import { FileStorage } from './storage/file-storage.ts';
import type { Locker, Storage } from './storage/storage.ts';
import { SuppliedCertificates } from './supplied-certificates.ts';
import type { ManagedWish, SuppliedWish, WantedCertificate } from './wanted-certificate.ts';

export interface CertificateAutomationServices {
  readonly log: Logger;
  readonly clock: Clock;
  /** For every secure context, without `cert` and `key`. */
  readonly contextOptions: SecureContextOptions;
  /** Whether TLS is listened for with what is made here. Default true. */
  readonly listens?: boolean;
  /** Default the folder `storage` of the config, and locks in it. */
  readonly storage?: Storage;
  readonly locker?: Locker;
}

export interface CertificateAutomation {
  /** To be started and closed by the owner. */
  readonly manager: CertificateManager;
  /** What the manager keeps and with what, for verbs that look after one certificate without it. */
  readonly wanted: readonly WantedCertificate[];
  readonly services: ManagedCertificateServices;
  /** For names that are not in the file, or null; started after the manager has loaded, closed before it. */
  readonly onDemand: OnDemandCertificates | null;
  /** Watches the operator's own files. To be started and closed by the owner. */
  readonly supplied: SuppliedCertificates;
  /** Told of every event, or null; to be closed after the manager. */
  readonly hook: EventHook | null;
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
  {
    log,
    clock,
    contextOptions,
    listens = true,
    storage = new FileStorage(config.storage),
    locker = new FileLocker(config.storage),
  }: CertificateAutomationServices,
): CertificateAutomation {
  const challenges = new ChallengeTokens(new SharedTokens({ storage, clock, log }));
  const unreachable = listens && config.listen.https.length > 0 ? null : NO_TLS;
  const alpnChallenges = new AlpnCertificates({ contextOptions, clock, unreachable });
  const resolver = new CertificateResolver({ contextOptions, log });
  const common = { storage, locker, log, clock };
  const localCa = new LocalCa(common);
  const unheard = config.listen.http.length === 0 ? '"listen.http" is off' : null;
  const http = new HttpSolver(challenges, unheard);
  const solvers = [http, alpnChallenges, ...createDnsSolvers(config.dns, { log, clock })];

  const issuerOf = ({ directory, email, trust, binding, preferredChain }: AcmeConfig): AcmeIssuer =>
    new AcmeIssuer({
      directoryUrl: directory,
      email,
      trust,
      binding,
      preferredChain,
      solvers,
      userAgent: userAgent(),
      ...common,
    });
  const authorities = new Map<string | null, Authority>();
  authorities.set(null, new Authority({ issuer: localCa, ledger: null, rehearsal: null, clock }));
  for (const acme of config.acme) {
    const issuer = issuerOf(acme);
    const limits = limitsOf(acme.directory);
    const ledger = limits === null ? null : new BudgetLedger({ issuerId: issuer.id, limits, ...common });
    const rehearsal = acme.directory === LETSENCRYPT ? issuerOf({ ...acme, directory: LETSENCRYPT_STAGING }) : null;
    authorities.set(acme.directory, new Authority({ issuer, ledger, rehearsal, clock }));
  }

  const wanted: WantedCertificate[] = [
    ...planCertificates(config).map((planned) => wishOf(planned, authorities)),
    ...suppliedOf(config),
  ];
  const hook =
    config.onEvent === null ? null : new EventHook({ hook: config.onEvent, log, environment: HOOK_ENVIRONMENT });
  const services = {
    ...common,
    store: new CertificateStore(storage, log),
    journal: new ChangeJournal(common),
    compromised: new CompromisedKeys(storage),
    publisher: resolver,
    tell: (event: CertificateEvent) => hook?.tell(event),
    random: Math.random,
  };
  const manager = new CertificateManager(wanted, services);
  const issuers = config.acme.map(({ directory, profile }) => ({ authority: authorities.get(directory)!, profile }));
  const onDemand =
    config.onDemand === null
      ? null
      : createOnDemand(config.onDemand, config, { ...services, contexts: resolver, issuers });
  const supplied = new SuppliedCertificates(config.sites, {
    publish: (host, certificate) => resolver.publish(host, certificate, 0),
    withdraw: (host) => resolver.withdraw(host, 0),
    refuse: (certificate, subject) => services.compromised.refuse(certificate, subject),
    log,
    clock,
  });
  const localRootPath = localCa.rootPath;
  return { manager, wanted, services, onDemand, supplied, hook, resolver, challenges, alpnChallenges, localRootPath };
}

const NO_TLS = 'nobody listens for TLS here';
const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const LETSENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

/** All that an event hook's program finds: no secret of ours can be in it. */
const HOOK_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

function wishOf(planned: PlannedCertificate, authorities: ReadonlyMap<string | null, Authority>): ManagedWish {
  const issuers = planned.issuers.map(({ directory, profile }) => ({
    authority: authorities.get(directory)!,
    profile,
  }));
  return { ...planned, kind: 'managed', issuers };
}

/** One value, and so one secure context, for a certificate that many sites have; config loading has checked it. */
function suppliedOf(config: Config): SuppliedWish[] {
  const certificates = new Map<string, ServedCertificate>();
  return config.sites.flatMap(({ host, tls }): SuppliedWish[] => {
    if (tls.kind !== 'supplied') return [];
    const id = tls.certPem + tls.keyPem;
    const certificate = certificates.get(id) ?? { certPem: tls.certPem, keyPem: tls.keyPem };
    certificates.set(id, certificate);
    return [{ kind: 'supplied', host, certificate }];
  });
}
