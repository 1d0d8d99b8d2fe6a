// The contract between names on demand and what obtains and keeps certificates (certs/managed-certificate).
import type { Certificate } from '../certificate.ts';

/** How a name stands. */
export interface DemandStanding {
  /** The one that is kept, perhaps expired; null when there is none that can be served. */
  readonly certificate: Certificate | null;
  /** When it may be tried to obtain or renew it, by the usual schedules. */
  readonly dueAt: number;
}

export interface OnDemandIssuance {
  /** Names with a stored certificate that was obtained on demand, as `certificateFolderName` has them. */
  stored(): Promise<readonly string[]>;
  /** Reads the name's stored certificate; one that was not obtained on demand counts as none. Rejects when storage fails. */
  load(name: string): Promise<DemandStanding>;
  /**
   * One turn under the lock of the name: looks again at what is stored, obtains or renews when that is due and allowed,
   * stores, publishes. Failures are logged and remembered; they show in `dueAt`. Rejects only when `signal` aborts.
   */
  obtain(name: string, signal: AbortSignal): Promise<DemandStanding>;
}
