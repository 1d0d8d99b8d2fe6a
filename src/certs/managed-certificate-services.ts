// What every certificate that is kept needs of its surroundings.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { CertificatePublisher } from './certificate-publisher.ts';
import type { EventSink } from './events/certificate-event.ts';
import type { CertificateStore } from './storage/certificate-store.ts';
import type { ChangeJournal } from './storage/change-journal.ts';
import type { CompromisedKeys } from './storage/compromised-keys.ts';
import type { Locker, Storage } from './storage/storage.ts';

export interface ManagedCertificateServices {
  readonly storage: Storage;
  readonly store: CertificateStore;
  readonly locker: Locker;
  readonly journal: ChangeJournal;
  readonly compromised: CompromisedKeys;
  readonly publisher: CertificatePublisher;
  readonly tell: EventSink;
  readonly log: Logger;
  readonly clock: Clock;
  /** In [0, 1); spreads repeated attempts. */
  readonly random: () => number;
}
