// A worker's way to ask whether the limits on connections, of all workers together, have room for one more.
import type { SharedAdmission } from '../server/gate.ts';
import type { PrimaryCalls, WorkerCalls } from './calls.ts';
import type { Channel } from './channel.ts';

export class AdmissionDesk implements SharedAdmission {
  readonly #channel: Channel<PrimaryCalls, WorkerCalls>;
  #isAsked = false;

  constructor(channel: Channel<PrimaryCalls, WorkerCalls>) {
    this.#channel = channel;
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** `open`: what is open at this moment, by address. */
  adopt(isAsked: boolean, open: ReadonlyMap<string, number>): void {
    if (isAsked && !this.#isAsked && open.size > 0) this.#channel.call('occupy', open).catch(() => {});
    this.#isAsked = isAsked;
  }

  admit(address: string): Promise<boolean> {
    return this.#channel.call('admit', address).catch(() => false);
  }

  leave(address: string): void {
    if (this.#isAsked) this.#channel.call('leave', address).catch(() => {});
  }
}
