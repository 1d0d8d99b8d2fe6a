// Follows one certificate in storage after a new one was asked for: whether a running process has taken it up, and how
// that went. Reads only.
import { setTimeout as delay } from 'node:timers/promises';
import type { CertificateState } from '../storage/certificate-state.ts';
import { type CertificateStore, certificateLock } from '../storage/certificate-store.ts';
import type { Storage } from '../storage/storage.ts';

export type RenewalOutcome =
  | { readonly kind: 'renewed'; readonly issuerId: string }
  /** `message`: the authority's own words. */
  | { readonly kind: 'failed'; readonly message: string; readonly nextAttemptAt: number | null }
  | { readonly kind: 'waits'; readonly at: number; readonly limit: string }
  /** Obtained a few minutes ago, or the authority asked for patience; until `at`. It stays asked for. */
  | { readonly kind: 'rests'; readonly at: number }
  /** Nobody has done anything about it. */
  | { readonly kind: 'ignored' };

const LOOK_MS = 250;

export class RenewalWatch {
  readonly #store: CertificateStore;
  readonly #storage: Storage;
  readonly #name: string;
  readonly #issuerIds: readonly string[];
  #before: readonly Memory[] = [];

  /** `name`: see PlannedCertificate. */
  constructor(store: CertificateStore, storage: Storage, name: string, issuerIds: readonly string[]) {
    this.#store = store;
    this.#storage = storage;
    this.#name = name;
    this.#issuerIds = issuerIds;
  }

  /** To be called before the request is made. */
  async begin(): Promise<void> {
    this.#before = await this.#look();
  }

  /**
   * Resolves with the outcome once there is one. `ignored` when for `patienceMs` nobody works on the certificate; whoever
   * works on it holds its lock. Rejects with the signal's reason.
   */
  async outcome(patienceMs: number, signal: AbortSignal): Promise<RenewalOutcome> {
    for (let idleMs = 0; ; ) {
      const outcome = await this.outcomeNow();
      if (outcome !== null) return outcome;
      const worked = (await this.#storage.load(`locks/${certificateLock(this.#name)}.lock`)) !== null;
      idleMs = worked ? 0 : idleMs + LOOK_MS;
      if (idleMs > patienceMs) return { kind: 'ignored' };
      await delay(LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** null while there is none. */
  async outcomeNow(): Promise<RenewalOutcome | null> {
    const memories = await this.#look();
    for (const [i, { fingerprint, state }] of memories.entries()) {
      const before = this.#before[i];
      if (fingerprint !== null && fingerprint !== before?.fingerprint && state.requestedAt === null)
        return { kind: 'renewed', issuerId: this.#issuerIds[i]! };
    }
    for (const [i, { state }] of memories.entries()) {
      const before = this.#before[i]?.state;
      const { lastError, nextAttemptAt, waiting } = state;
      if (lastError !== null && lastError.at !== before?.lastError?.at)
        return { kind: 'failed', message: lastError.message, nextAttemptAt };
      if (waiting !== null && waiting.at !== before?.waiting?.at) return { kind: 'waits', ...waiting };
    }
    return null;
  }

  async #look(): Promise<readonly Memory[]> {
    return Promise.all(
      this.#issuerIds.map(async (issuerId) => ({
        fingerprint: (await this.#store.read(issuerId, this.#name))?.fingerprint ?? null,
        state: await this.#store.loadState(issuerId, this.#name),
      })),
    );
  }
}

interface Memory {
  readonly fingerprint: string | null;
  readonly state: CertificateState;
}
