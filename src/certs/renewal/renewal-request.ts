// How another process – `perantara certs renew` – asks the one that runs for a new certificate: through storage.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { type CertificateStore, certificateFolder, certificateLock } from '../storage/certificate-store.ts';
import { ChangeJournal } from '../storage/change-journal.ts';
import type { Locker, Storage } from '../storage/storage.ts';

export interface RenewalRequestServices {
  readonly storage: Storage;
  readonly store: CertificateStore;
  readonly locker: Locker;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Asks for a new certificate for `name` (see PlannedCertificate) of the issuer that is asked first; `issuerIds` has all, in
 * order. A running process sees it within seconds, one that starts at once. Waits while a turn of the name is under way.
 * Failures of the past no longer count, unless the issuer itself asked for patience; with `force` neither does that, nor
 * that it was obtained just now. Rejects with `storage_unwritable`.
 */
export async function requestRenewal(
  { storage, store, locker, log, clock }: RenewalRequestServices,
  issuerIds: readonly string[],
  name: string,
  signal: AbortSignal,
  force = false,
): Promise<void> {
  const journal = new ChangeJournal({ storage, log, clock });
  const changed: string[] = [];
  const lock = await locker.acquire(certificateLock(name), signal);
  try {
    for (const [i, issuerId] of issuerIds.entries()) {
      const state = await store.loadState(issuerId, name);
      const nextAttemptAt = state.lastError?.patience === true && !force ? state.nextAttemptAt : null;
      const obtainedAt = force ? null : state.obtainedAt;
      const requestedAt = i === 0 ? clock.now() : state.requestedAt;
      const next = { ...state, requestedAt, nextAttemptAt, obtainedAt };
      if (isDeepStrictEqual(next, state)) continue;
      await lock.assertHeld();
      await store.saveState(issuerId, name, next);
      changed.push(certificateFolder(issuerId, name));
    }
  } finally {
    await lock.release();
  }
  for (const folder of changed) await journal.note(folder);
}
