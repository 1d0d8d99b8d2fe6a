// What storage knows about every configured certificate, for `perantara certs`. Reads only: mends nothing, asks nobody.
import type { Config, KeyType, SiteConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createLogger, type Logger } from '../core/log.ts';
import { pooledMap } from '../core/pooled-map.ts';
import { acmeIssuerId } from './acme/issuer.ts';
import { type Certificate, keyTypeOf, parseCertificate } from './certificate.ts';
import { type PlannedCertificate, planCertificates } from './certificate-plan.ts';
import { Holding } from './holding.ts';
import { LOCAL_CA_ID } from './local-ca.ts';
import { attemptAllowedAt, lastObtainedAt } from './renewal/attempts.ts';
import { limitsOf } from './renewal/budget.ts';
import { BudgetLedger } from './renewal/budget-ledger.ts';
import { leftRatio, needsRenewal, type RenewalDecision, type RenewReason } from './renewal/renewal.ts';
import type { RenewalWindow } from './renewal/renewal-window.ts';
import { rankHoldings } from './serving.ts';
import { CertificateStore, certificateFolder } from './storage/certificate-store.ts';
import { ChangeJournal } from './storage/change-journal.ts';
import { CompromisedKeys } from './storage/compromised-keys.ts';
import { FileLocker } from './storage/file-locker.ts';
import { FileStorage } from './storage/file-storage.ts';
import { listOrphans, type Orphan } from './storage/orphans.ts';
import { listOnDemand } from './storage/stored-names.ts';

/** Times in milliseconds since the epoch. Field names are what `perantara certs --json` promises: they stay. */
export interface CertificateStatus {
  /** The first host pattern on it. */
  readonly name: string;
  /** All of them. */
  readonly names: readonly string[];
  readonly source: 'acme' | 'local' | 'supplied';
  /** Not in the file: obtained at a handshake, and renewed when somebody uses it. */
  readonly onDemand: boolean;
  /** `failing`: the last attempt failed, and what is there is valid, if anything is; see `notAfter`. */
  readonly state: 'valid' | 'missing' | 'expired' | 'failing';
  /** As the certificate names it, or null without a certificate. */
  readonly issuer: string | null;
  /** The authority's folder name in storage: that of the certificate, else the one asked first; null when supplied. */
  readonly authority: string | null;
  /** What proved the names, or null: nothing had to be, or nobody remembers. */
  readonly challenge: string | null;
  /** As ordered, or null: the authority chose. */
  readonly profile: string | null;
  /** Of the certificate, or the one wanted; null: some other key. */
  readonly keyType: KeyType | null;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  /** Of its lifetime, 0 to 1, or null without a certificate. */
  readonly leftRatio: number | null;
  /** What happens next and why; null for supplied certificates. */
  readonly next: {
    readonly step: 'obtain' | 'renew';
    readonly at: number;
    /** See RenewReason; for a step that is due and waits, what it waits for. */
    readonly reason: string;
    readonly waitsFor: 'authority' | 'budget' | 'retry' | null;
  } | null;
  /** As before issue 4: when it is renewed next; null for supplied certificates and when none is there yet. */
  readonly nextRenewalAt: number | null;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  /** When the issuer may be asked again after a failure, or null. */
  readonly nextAttemptAt: number | null;
  readonly failures: number;
  readonly window: Pick<RenewalWindow, 'start' | 'end' | 'at' | 'explanationUrl'> | null;
  /** Whether an operator asked for a new one that is not there yet. */
  readonly requestedAt: number | null;
  /** What is left of the authority's limits that the names meet; empty when it has none. */
  readonly budget: readonly {
    readonly limit: string;
    readonly left: number;
    readonly of: number;
    readonly nextAt: number;
  }[];
}

export interface Inventory {
  /** In the config's order, then those on demand by name. */
  readonly certificates: readonly CertificateStatus[];
  /** Stored, and no longer configured. */
  readonly orphans: readonly Orphan[];
}

/** Certificates looked at at once: a file table may hold as few as 1024. */
const MAX_READS = 16;

/** Damaged files count as missing. Rejects with `storage_unreadable`: nothing can be said of what may not be looked at. */
export async function takeInventory(config: Config, clock: Clock): Promise<Inventory> {
  const shelf = await Shelf.open(config, clock);
  const planned = planCertificates(config);
  const isFirst = ({ names }: PlannedCertificate, host: string): boolean => names[0] === host;
  const looks = config.sites.flatMap((site): (() => CertificateStatus | Promise<CertificateStatus>)[] =>
    site.tls.kind === 'supplied'
      ? [() => suppliedStatus(site, clock.now())]
      : planned.filter((plan) => isFirst(plan, site.host)).map((plan) => () => shelf.statusOf(plan)),
  );
  const demanded = await shelf.demanded(config, planned);
  looks.push(...demanded.map((plan) => () => shelf.statusOf(plan, true)));
  const certificates = await pooledMap(looks, MAX_READS, async (look) => look());
  return { certificates, orphans: await shelf.orphans([...planned, ...demanded]) };
}

class Shelf {
  readonly #ledgers = new Map<string, BudgetLedger>();
  readonly #clock: Clock;
  readonly #storage: FileStorage;
  readonly #shared: {
    readonly store: CertificateStore;
    readonly journal: ChangeJournal;
    readonly compromised: CompromisedKeys;
  };

  private constructor(storage: FileStorage, clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#storage = storage;
    this.#shared = {
      store: new CertificateStore(storage, log),
      journal: new ChangeJournal({ storage, log, clock }),
      compromised: new CompromisedKeys(storage),
    };
  }

  static async open(config: Config, clock: Clock): Promise<Shelf> {
    const storage = new FileStorage(config.storage);
    const log = createLogger({ level: 'silent', pretty: false });
    const shelf = new Shelf(storage, clock, log);
    await shelf.#shared.compromised.load().catch(() => {});
    const locker = new FileLocker(config.storage);
    for (const { directory } of config.acme) {
      const limits = limitsOf(directory);
      if (limits === null) continue;
      const issuerId = acmeIssuerId(directory);
      const ledger = new BudgetLedger({ issuerId, limits, storage, locker, log, clock });
      await ledger.load();
      shelf.#ledgers.set(issuerId, ledger);
    }
    return shelf;
  }

  async statusOf(plan: PlannedCertificate, onDemand = false): Promise<CertificateStatus> {
    const now = this.#clock.now();
    const holdings = await this.#holdingsOf(plan);
    const served = rankHoldings(holdings, now)[0] ?? null;
    const requestedAt = holdings.find(({ state }) => state.requestedAt !== null)?.state.requestedAt ?? null;
    const decision = decide(plan, holdings, served, requestedAt !== null, now);
    const wait = waitOf(holdings, decision.reason, now);
    const failing = holdings.find(({ state }) => state.failures > 0)?.state ?? null;
    const { issuerId, state } = served ?? holdings[0]!;
    const certificate = served?.certificate ?? null;
    const at = Math.max(decision.at, wait.at);
    const waitsFor = wait.at > Math.max(now, decision.at) ? wait.by : null;
    return {
      name: plan.names[0]!,
      names: plan.names,
      source: plan.issuers[0]!.directory === null ? 'local' : 'acme',
      onDemand,
      state: stateOf(certificate, failing !== null, now),
      ...factsOf(certificate, now),
      authority: issuerId,
      challenge: state.issued?.challenge ?? null,
      profile: state.issued?.profile ?? null,
      keyType: served === null ? plan.keyType : served.keyType,
      next: { step: certificate === null ? 'obtain' : 'renew', at, reason: decision.reason, waitsFor },
      nextRenewalAt: certificate === null ? null : at,
      lastError: failing?.lastError == null ? null : { at: failing.lastError.at, message: failing.lastError.message },
      nextAttemptAt: failing === null ? null : Math.max(now, wait.at),
      failures: Math.max(...holdings.map((holding) => holding.state.failures)),
      window: windowOf(state.window),
      requestedAt,
      budget: this.#ledgers.get(issuerId)?.left(plan.names) ?? [],
    };
  }

  /** What lies here of names on demand, as long as the config allows those. */
  async demanded(config: Config, planned: readonly PlannedCertificate[]): Promise<readonly PlannedCertificate[]> {
    if (config.onDemand == null) return [];
    const issuers = config.acme.map(({ directory, profile }) => ({ directory, profile }));
    const ids = issuers.map(({ directory }) => acmeIssuerId(directory));
    const taken = new Set(planned.map(({ name }) => name));
    const names = await listOnDemand(this.#storage, ids);
    return names
      .filter((name) => !taken.has(name))
      .toSorted()
      .map((name) => ({ name, names: [name], keyType: 'p256', part: 0, challenges: [], issuers }));
  }

  async #holdingsOf({ name, issuers }: PlannedCertificate): Promise<readonly Holding[]> {
    const holdings = issuers.map(
      ({ directory, profile }) =>
        new Holding({ ...this.#shared, name, issuerId: issuerIdOf(directory), authority: null, profile }),
    );
    for (const holding of holdings) await holding.read().catch(() => {});
    return holdings;
  }

  async orphans(planned: readonly PlannedCertificate[]): Promise<readonly Orphan[]> {
    const configured = planned.flatMap(({ name, issuers }) =>
      issuers.map(({ directory }) => certificateFolder(issuerIdOf(directory), name)),
    );
    return listOrphans(this.#storage, new Set(configured));
  }
}

type TimedDecision = Exclude<RenewalDecision, { action: 'nothing' }>;

function decide(
  { names, keyType }: PlannedCertificate,
  holdings: readonly Holding[],
  served: Holding | null,
  requested: boolean,
  now: number,
): TimedDecision {
  const profiles = new Map(holdings.map(({ issuerId, profile }) => [issuerId, profile?.name ?? null]));
  const facts = served?.facts() ?? null;
  return needsRenewal(facts === null ? null : { ...facts, requested }, { names, keyType, profiles }, now);
}

interface Wait {
  readonly at: number;
  readonly by: 'budget' | 'authority' | 'retry';
}

/** The issuer that may be asked first tells what is waited for. */
function waitOf(holdings: readonly Holding[], reason: RenewReason | 'lifetime', now: number): Wait {
  const obtainedAt = lastObtainedAt(holdings, now);
  const waits = holdings.map((holding): Wait => {
    const retryAt = attemptAllowedAt({ ...holding.state, obtainedAt }, now, reason);
    const budgetAt = holding.waitsUntil(now);
    const by = budgetAt > retryAt ? 'budget' : holding.state.lastError?.patience === true ? 'authority' : 'retry';
    return { at: Math.max(retryAt, budgetAt), by };
  });
  return waits.reduce((a, b) => (b.at < a.at ? b : a));
}

function stateOf(certificate: Certificate | null, failing: boolean, now: number): CertificateStatus['state'] {
  if (certificate !== null && certificate.notAfter <= now) return 'expired';
  if (failing) return 'failing';
  return certificate === null ? 'missing' : 'valid';
}

type CertificateFacts = Pick<CertificateStatus, 'issuer' | 'notBefore' | 'notAfter' | 'leftRatio'>;

function factsOf(certificate: Certificate | null, now: number): CertificateFacts {
  if (certificate === null) return { issuer: null, notBefore: null, notAfter: null, leftRatio: null };
  const { issuer, notBefore, notAfter } = certificate;
  return { issuer, notBefore, notAfter, leftRatio: Math.max(0, leftRatio(certificate, now)) };
}

function issuerIdOf(directory: string | null): string {
  return directory === null ? LOCAL_CA_ID : acmeIssuerId(directory);
}

function windowOf(window: RenewalWindow | null): CertificateStatus['window'] {
  if (window === null) return null;
  const { start, end, at, explanationUrl } = window;
  return { start, end, at, explanationUrl };
}

function suppliedStatus({ host, tls }: SiteConfig, now: number): CertificateStatus {
  if (tls.kind !== 'supplied') throw new TypeError(`"${host}" has no supplied certificate`);
  const certificate = parseCertificate(tls.certPem, tls.keyPem);
  return {
    name: host,
    names: [host],
    source: 'supplied',
    onDemand: false,
    state: stateOf(certificate, false, now),
    ...factsOf(certificate, now),
    authority: null,
    challenge: null,
    profile: null,
    keyType: keyTypeOf(certificate),
    next: null,
    nextRenewalAt: null,
    lastError: null,
    nextAttemptAt: null,
    failures: 0,
    window: null,
    requestedAt: null,
    budget: [],
  };
}
