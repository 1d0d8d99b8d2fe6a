// The connections of all workers together, where the limits are such that each counting for itself would be felt: counted here, in
// the primary, which is asked about each.
import type { LimitConfig } from '../config/config.ts';
import { ConnectionLimiter } from '../server/connection-limiter.ts';
import type { WorkerChild } from './worker-child.ts';

export class CrewAdmission {
  #limiter: ConnectionLimiter;
  #isAsked: boolean;
  /** By worker, then by address. */
  readonly #open = new Map<WorkerChild, Map<string, number>>();

  /** `isAsked`: whether workers ask at all. */
  constructor(limits: LimitConfig, isAsked: boolean) {
    this.#limiter = new ConnectionLimiter(limits);
    this.#isAsked = isAsked;
  }

  /** Workers that begin to ask tell what they have first. What they asked about while they were told to stop is forgotten. */
  adopt(limits: LimitConfig, isAsked: boolean): void {
    this.#limiter.limits = limits;
    if (isAsked === this.#isAsked) return;
    this.#isAsked = isAsked;
    this.#limiter = new ConnectionLimiter(limits);
    this.#open.clear();
  }

  admit(worker: WorkerChild, address: string): boolean {
    if (!this.#limiter.admit(address)) return false;
    this.#note(worker, address);
    return true;
  }

  /** They are there already. */
  occupy(worker: WorkerChild, addresses: ReadonlyMap<string, number>): void {
    for (const [address, count] of addresses)
      for (let i = 0; i < count; i++) {
        this.#limiter.add(address);
        this.#note(worker, address);
      }
  }

  leave(worker: WorkerChild, address: string): void {
    const open = this.#open.get(worker);
    const count = open?.get(address);
    if (open === undefined || count === undefined) return;
    if (count === 1) open.delete(address);
    else open.set(address, count - 1);
    this.#limiter.release(address);
  }

  /** The worker has ended, and all its connections with it. */
  forget(worker: WorkerChild): void {
    for (const [address, count] of this.#open.get(worker) ?? [])
      for (let i = 0; i < count; i++) this.#limiter.release(address);
    this.#open.delete(worker);
  }

  #note(worker: WorkerChild, address: string): void {
    const open = this.#open.get(worker) ?? new Map<string, number>();
    this.#open.set(worker, open.set(address, (open.get(address) ?? 0) + 1));
  }
}
