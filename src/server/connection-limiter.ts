// How many client connections are open, in all and by address, and whether one more is welcome.
import type { LimitConfig } from '../config/config.ts';

export class ConnectionLimiter {
  /** May be changed; what is open by then stays. */
  limits: LimitConfig;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: LimitConfig) {
    this.limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** How many are open, by address. */
  get byAddress(): ReadonlyMap<string, number> {
    return this.#byAddress;
  }

  /** Counts the connection and returns true, or returns false. What was admitted must be released. */
  admit(address: string): boolean {
    const { connections, connectionsPerAddress } = this.limits;
    if (this.#open >= connections) return false;
    if ((this.#byAddress.get(address) ?? 0) >= connectionsPerAddress) return false;
    this.add(address);
    return true;
  }

  /** Counts one that is in already; it must be released, too. */
  add(address: string): void {
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    this.#open++;
  }

  release(address: string): void {
    this.#open--;
    const count = this.#byAddress.get(address);
    if (count === undefined) return;
    if (count === 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count - 1);
  }
}
