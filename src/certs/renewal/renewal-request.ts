// How another process – `perantara certs renew` – asks the one that runs for a new certificate: through storage.

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
 * Asks for a new certificate for `name` (see PlannedCertificate) of the issuer that is asked first. A running process sees
 * it within seconds, one that starts at once. Waits while a turn of the name is under way. Failures of the past no longer
 * count, unless the issuer itself asked for patience; with `force` neither
 * does that, nor that it was obtained just now. Rejects with `storage_unwritable`.
 */
export async function requestRenewal(
  { storage, store, locker, log, clock }: RenewalRequestServices,
  issuerId: string,
  name: string,
  signal: AbortSignal,
  force = false,
): Promise<void> {
  const lock = await locker.acquire(certificateLock(name), signal);
  try {
    const state = await store.loadState(issuerId, name);
    const isAskedToWait = state.lastError?.patience === true;
    const nextAttemptAt = isAskedToWait && !force ? state.nextAttemptAt : null;
    await lock.assertHeld();
    const obtainedAt = force ? null : state.obtainedAt;
    await store.saveState(issuerId, name, { ...state, requestedAt: clock.now(), nextAttemptAt, obtainedAt });
  } finally {
    await lock.release();
  }
  await new ChangeJournal({ storage, log, clock }).note(certificateFolder(issuerId, name));
}
