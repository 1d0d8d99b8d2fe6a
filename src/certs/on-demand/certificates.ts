// Names on demand as managed certificates that live for one turn: the same folders, locks, budgets and schedules as the
// names of the file, and a mark in their state by which they are known after a restart.
import type { ChallengeType, ProfileChoice } from '../../config/config.ts';
import { GenerationMap } from '../../core/generation-map.ts';
import { Holding } from '../holding.ts';
import { ManagedCertificate } from '../managed-certificate.ts';
import type { ManagedCertificateServices } from '../managed-certificate-services.ts';
import { needsRenewal } from '../renewal/renewal.ts';
import { rankHoldings } from '../serving.ts';
import type { CertificateState } from '../storage/certificate-state.ts';
import { CertificateStore } from '../storage/certificate-store.ts';
import { listOnDemand } from '../storage/stored-names.ts';
import type { ManagedWish, WantedIssuer } from '../wanted-certificate.ts';
import type { DemandStanding, OnDemandIssuance } from './issuance.ts';

export interface DemandIssuers {
  /** In the order to try. At least one. */
  readonly issuers: readonly WantedIssuer[];
  readonly challenges: readonly ChallengeType[];
}

/** Remembered between turns: one that could not be stored is stored at the next. */
const MAX_MANAGED = 1_000;

export class OnDemandManaged implements OnDemandIssuance {
  readonly #wanted: DemandIssuers;
  readonly #services: ManagedCertificateServices;
  readonly #managed = new GenerationMap<string, ManagedCertificate>(MAX_MANAGED);

  constructor(wanted: DemandIssuers, services: Omit<ManagedCertificateServices, 'store'>) {
    this.#wanted = wanted;
    this.#services = { ...services, store: new MarkingStore(services.storage, services.log) };
  }

  async stored(): Promise<readonly string[]> {
    const ids = this.#wanted.issuers.map(({ authority }) => authority.id);
    return listOnDemand(this.#services.storage, ids);
  }

  async load(name: string): Promise<DemandStanding> {
    const now = this.#services.clock.now();
    const holdings: Holding[] = [];
    for (const { authority, profile } of this.#wanted.issuers) {
      const holding = new Holding({ ...this.#services, name, issuerId: authority.id, authority, profile });
      await holding.read();
      if (holding.state.onDemand) holdings.push(holding);
    }
    const best = rankHoldings(holdings, now)[0];
    if (best === undefined || !best.usable(now)) return { certificate: null, dueAt: now };
    return { certificate: best.certificate, dueAt: this.#dueAt(name, best, now) };
  }

  async obtain(name: string, signal: AbortSignal): Promise<DemandStanding> {
    const managed = this.#managed.get(name) ?? new ManagedCertificate(this.#wish(name), this.#services);
    this.#managed.set(name, managed);
    await managed.tend(signal);
    signal.throwIfAborted();
    return { certificate: managed.served?.certificate ?? null, dueAt: managed.dueAt(this.#services.clock.now()) };
  }

  #wish(name: string): ManagedWish {
    return { kind: 'managed', name, names: [name], keyType: 'p256', part: 0, ...this.#wanted };
  }

  /** When it should be renewed, or the issuer asked when it should be. */
  #dueAt(name: string, holding: Holding, now: number): number {
    const names = [name];
    const profiles = new Map(this.#wanted.issuers.map(({ authority, profile }) => [authority.id, nameOf(profile)]));
    const decision = needsRenewal(holding.facts(), { names, keyType: 'p256', profiles }, now);
    const { window } = holding.state;
    return Math.min(decision.at, window?.nextCheckAt ?? decision.at);
  }
}

/** Marks every state that it stores. */
class MarkingStore extends CertificateStore {
  override saveState(issuerId: string, name: string, state: CertificateState): Promise<void> {
    return super.saveState(issuerId, name, { ...state, onDemand: true });
  }
}

function nameOf(profile: ProfileChoice | null): string | null {
  return profile?.name ?? null;
}
