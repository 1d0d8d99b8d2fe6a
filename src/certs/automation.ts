// Puts the parts together: which site of the config gets its certificate from where.
import type { SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { type Announce, type Announcement, announceToNobody } from './announcement.ts';
import { Authorities } from './authorities.ts';
import { CertificateListing } from './certificate-listing.ts';
import { type PlannedCertificate, type PlannedIssuer, planCertificates } from './certificate-plan.ts';
import type { CertificateStatus } from './certificate-status.ts';
import { AlpnCertificates } from './challenges/alpn-certificates.ts';
import { ChallengeTokens } from './challenges/challenge-tokens.ts';
import { SharedTokens } from './challenges/shared-tokens.ts';
import type { CertificateEvent } from './events/certificate-event.ts';
import { EventHook } from './events/event-hook.ts';
import type { CertificateGauges } from './events/gauges.ts';
import type { ManagedCertificateServices } from './managed-certificate-services.ts';
import { CertificateManager } from './manager.ts';
import { createOnDemand } from './on-demand/automation.ts';
import type { OnDemandCertificates } from './on-demand/on-demand.ts';
import { CertificateResolver, type ServedCertificate } from './resolver.ts';
import { CertificateStore } from './storage/certificate-store.ts';
import { ChangeJournal } from './storage/change-journal.ts';
import { CompromisedKeys } from './storage/compromised-keys.ts';
import { FileLocker } from './storage/file-locker.ts';
import { FileStorage } from './storage/file-storage.ts';
import type { Locker, Storage } from './storage/storage.ts';
import { SuppliedCertificates } from './supplied-certificates.ts';
import type { ManagedWish, SuppliedWish, WantedCertificate, WantedIssuer } from './wanted-certificate.ts';

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

/** The parts of the certificates' side, for as long as the process lives; `adopt` takes them to another config. */
export class CertificateAutomation {
  /** To be started and closed by the owner. */
  readonly manager: CertificateManager;
  /** What the manager keeps certificates with, for verbs that look after one without it. */
  readonly services: ManagedCertificateServices;
  /** What handshakes read. */
  readonly resolver: CertificateResolver;
  /** What the challenge handler reads. */
  readonly challenges: ChallengeTokens;
  /** What handshakes of validators read. */
  readonly alpnChallenges: AlpnCertificates;
  /** Where what changes is told, besides here. */
  audience: Announce = announceToNobody;
  readonly #options: CertificateAutomationServices;
  readonly #authorities: Authorities;
  #config: Config;
  #wanted: readonly WantedCertificate[];
  /** By the first host. */
  #planned: ReadonlyMap<string, readonly PlannedCertificate[]> = new Map();
  #onDemand: OnDemandCertificates | null;
  #supplied: SuppliedCertificates;
  #hook: EventHook | null;
  readonly #formerHooks = new Set<EventHook>();
  /** What is no longer in use and has not ended yet. */
  #ending: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  readonly #listing: CertificateListing;

  constructor(config: Config, options: CertificateAutomationServices) {
    const { log, clock, contextOptions } = options;
    const { storage = new FileStorage(config.storage), locker = new FileLocker(config.storage) } = options;
    const common = { storage, locker, log, clock };
    const announce: Announce = (announcement) => this.audience(announcement);
    this.#options = options;
    this.#config = config;
    this.challenges = new ChallengeTokens(new SharedTokens(common), announce);
    this.alpnChallenges = new AlpnCertificates({ contextOptions, clock, announce });
    this.resolver = new CertificateResolver({ contextOptions, log, announce });
    this.#authorities = new Authorities(config, {
      ...common,
      challenges: this.challenges,
      alpnChallenges: this.alpnChallenges,
      listens: options.listens ?? true,
    });
    this.#hook = this.#hookOf(config);
    this.services = {
      ...common,
      store: new CertificateStore(storage, log),
      journal: new ChangeJournal(common),
      compromised: new CompromisedKeys(storage),
      publisher: this.resolver,
      tell: (event: CertificateEvent) => this.#hook?.tell(event),
      random: Math.random,
    };
    this.#wanted = this.#wantedOf(config);
    this.manager = new CertificateManager(this.#wanted, this.services);
    this.#listing = new CertificateListing(this.manager, this.resolver, clock);
    this.#onDemand = this.#onDemandOf(config);
    this.#supplied = this.#suppliedOf(config);
  }

  /** What the manager keeps. */
  get wanted(): readonly WantedCertificate[] {
    return this.#wanted;
  }

  /** For names that are not in the file, or null. */
  get onDemand(): OnDemandCertificates | null {
    return this.#onDemand;
  }

  /** Watches the operator's own files. */
  get supplied(): SuppliedCertificates {
    return this.#supplied;
  }

  /** How every certificate stands, in the order of the file. Piece by piece: the config may change meanwhile. */
  statuses(): Iterable<CertificateStatus> {
    return this.#listing.statuses(this.#config.sites, this.#planned);
  }

  /** What is measured of each, likewise. */
  gauges(): Iterable<CertificateGauges> {
    return this.#listing.gauges(this.#config.sites, this.#planned);
  }

  /** What an audience has to know that comes now. */
  *announcements(): Generator<Announcement> {
    yield this.#storedNames();
    yield* this.resolver.announcements();
    yield* this.challenges.announcements();
    yield* this.alpnChallenges.announcements();
  }

  /** Where the local root certificate lies, or will. */
  get localRootPath(): string {
    return this.#authorities.localRootPath;
  }

  /** Publishes what is stored and supplied; before anybody listens. Asks no authority; never rejects. */
  async load(): Promise<void> {
    await this.manager.load();
    await this.#onDemand?.start();
  }

  /** Begins to obtain what is missing or due, and to watch the operator's own files. Waits for no authority. */
  async start(): Promise<void> {
    await this.manager.start();
    await this.#supplied.start();
  }

  /**
   * Serves the certificates of another config on the same storage from now on; calls must not overlap. What both have in
   * common goes on untouched. Waits for no authority; never rejects.
   */
  async adopt(config: Config): Promise<void> {
    const before = this.#config;
    this.#config = config;
    const isNewSupply = !isDeepStrictEqual(suppliedFilesOf(before), suppliedFilesOf(config));
    if (isNewSupply) this.#supplied.destroy(); // what it reads is not to be served any more
    if (!isDeepStrictEqual(before.onEvent, config.onEvent)) {
      if (this.#hook !== null) this.#finish(this.#hook);
      this.#hook = this.#hookOf(config);
    }
    this.#authorities.adopt(config);
    this.#wanted = this.#wantedOf(config);
    await this.manager.adopt(this.#wanted);
    if (isDeepStrictEqual(demandOf(before), demandOf(config))) this.#onDemand?.look();
    else await this.#replaceOnDemand(config);
    if (this.#isClosed) return;
    if (isNewSupply) {
      this.#supplied = this.#suppliedOf(config);
      await this.#supplied.start();
    }
    this.#endLater(this.#authorities.closeFormer());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#onDemand?.close(), this.manager.close(), this.#supplied.close(), this.#ending]);
    await Promise.all([this.#closeHooks(), this.#authorities.close()]);
  }

  destroy(reason?: Error): void {
    this.#isClosed = true;
    this.#onDemand?.destroy(reason);
    this.manager.destroy(reason);
    this.#supplied.destroy();
    void this.#closeHooks();
  }

  /** Whoever asks is answered by the one before until the other knows what storage has. */
  async #replaceOnDemand(config: Config): Promise<void> {
    const former = this.#onDemand;
    const next = this.#onDemandOf(config);
    await next?.start();
    if (this.#isClosed) return next?.close();
    this.#onDemand = next;
    void this.audience(this.#storedNames());
    if (former !== null) next?.succeed(former);
    next?.look();
    this.#endLater(former?.close());
  }

  #storedNames(): Announcement {
    return { kind: 'stored', names: [...(this.#onDemand?.stored.folders ?? [])], isAll: true, isGone: false };
  }

  /** What it was told before another took its place, it still hands over. */
  #finish(hook: EventHook): void {
    this.#formerHooks.add(hook);
    void hook.finish().then(() => this.#formerHooks.delete(hook));
  }

  async #closeHooks(): Promise<void> {
    await Promise.all([this.#hook, ...this.#formerHooks].map((hook) => hook?.close()));
  }

  /** Nobody waits for it but `close`: an order may be on its way, or a DNS record be taken away. */
  #endLater(ending: Promise<void> | undefined): void {
    this.#ending = Promise.allSettled([this.#ending, ending]);
  }

  #hookOf({ onEvent: hook }: Config): EventHook | null {
    return hook === null ? null : new EventHook({ hook, log: this.#options.log, environment: HOOK_ENVIRONMENT });
  }

  #wantedOf(config: Config): readonly WantedCertificate[] {
    const planned = planCertificates(config);
    this.#planned = Map.groupBy(planned, ({ names }) => names[0]!);
    return [...planned.map((each) => this.#wishOf(each)), ...suppliedOf(config)];
  }

  #wishOf(planned: PlannedCertificate): ManagedWish {
    return { ...planned, kind: 'managed', issuers: this.#issuersOf(planned.issuers) };
  }

  #issuersOf(issuers: readonly PlannedIssuer[]): readonly WantedIssuer[] {
    return issuers.map(({ directory, profile }) => ({ authority: this.#authorities.of(directory), profile }));
  }

  #onDemandOf(config: Config): OnDemandCertificates | null {
    if (config.onDemand === null) return null;
    const created = createOnDemand(config.onDemand, {
      ...this.services,
      onStored: (folder, isGone) => {
        if (this.#onDemand === created) void this.audience({ kind: 'stored', names: [folder], isAll: false, isGone });
      },
      contexts: this.resolver,
      issuers: this.#issuersOf(config.acme),
      sites: () => this.#config.sites,
      dns: config.dns,
    });
    return created;
  }

  #suppliedOf(config: Config): SuppliedCertificates {
    const { compromised, log, clock } = this.services;
    return new SuppliedCertificates(config.sites, {
      publish: (host, certificate) => this.resolver.publish(host, certificate, 0),
      withdraw: (host) => this.resolver.withdraw(host, 0),
      refuse: (certificate, subject) => compromised.refuse(certificate, subject),
      log,
      clock,
    });
  }
}

/** What certificates on demand depend on. */
function demandOf({ onDemand, acme, dns, listen }: Config): unknown {
  return { onDemand, acme, dns, isHeard: listen.http.length > 0 };
}

/** Which files of the operator's are watched, and for which hosts. */
function suppliedFilesOf(config: Config): unknown {
  return config.sites.flatMap(({ host, tls }) => (tls.kind === 'supplied' ? [{ host, files: tls.files }] : []));
}
/** All that an event hook's program finds: no secret of ours can be in it. */
const HOOK_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

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
