// What storage knows about every configured certificate, for `perantara certs`. Reads only: mends nothing, asks nobody.
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createLogger, type Logger } from '../core/log.ts';
import { pooledMap } from '../core/pooled-map.ts';
import { acmeIssuerId } from './acme/issuer.ts';
import { type PlannedCertificate, planCertificates } from './certificate-plan.ts';
import { type CertificateStatus, statusOf, suppliedStatus } from './certificate-status.ts';
import { Holding } from './holding.ts';
import { LOCAL_CA_ID } from './local-ca.ts';
import { limitsOf } from './renewal/budget.ts';
import { BudgetLedger } from './renewal/budget-ledger.ts';
import { CertificateStore, certificateFolder } from './storage/certificate-store.ts';
import { ChangeJournal } from './storage/change-journal.ts';
import { CompromisedKeys } from './storage/compromised-keys.ts';
import { FileLocker } from './storage/file-locker.ts';
import { FileStorage } from './storage/file-storage.ts';
import { listOrphans, type Orphan } from './storage/orphans.ts';
import { listOnDemand } from './storage/stored-names.ts';

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
    const holdings = await this.#holdingsOf(plan);
    const budgetOf = (issuerId: string): CertificateStatus['budget'] =>
      this.#ledgers.get(issuerId)?.left(plan.names) ?? [];
    return statusOf(plan, holdings, { onDemand, budgetOf, now: this.#clock.now() });
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

function issuerIdOf(directory: string | null): string {
  return directory === null ? LOCAL_CA_ID : acmeIssuerId(directory);
}
