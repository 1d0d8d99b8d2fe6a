// What a primary answers when a worker asks.
import type { CertificateAutomation } from '../certs/automation.ts';
import { PerantaraError } from '../core/errors.ts';
import type { BoundHandle } from './bound-handle.ts';
import type { PrimaryCalls } from './calls.ts';
import { HandleAnswer, type Handlers } from './channel.ts';
import type { CrewAdmission } from './crew-admission.ts';
import type { WorkerChild } from './worker-child.ts';

export interface AnswerSources {
  readonly certificates: Pick<CertificateAutomation, 'onDemand' | 'challenges'>;
  readonly admission: CrewAdmission;
  /** null: that listener is no longer wanted. */
  readonly handleFor: (key: string) => BoundHandle | null;
}

export type Answers = Handlers<Omit<PrimaryCalls, 'failing'>>;

export function answersTo(worker: WorkerChild, { certificates, admission, handleFor }: AnswerSources): Answers {
  return {
    socket: (key) => {
      const handle = handleFor(key);
      if (handle !== null) return new HandleAnswer(handle);
      const why = 'cannot listen: the process is stopping, or has other listeners by now';
      throw new PerantaraError(why, { code: 'closed', source: 'internal' });
    },
    demand: ({ servername, address }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const work = certificates.onDemand?.demand(servername, address) ?? null;
      if (work === null) resolve();
      else work.wait(() => resolve());
      return promise;
    },
    findToken: ({ host, token }) => certificates.challenges.find(host, token),
    admit: (address) => admission.admit(worker, address),
    leave: (address) => admission.leave(worker, address),
    occupy: (addresses) => admission.occupy(worker, addresses),
  };
}
