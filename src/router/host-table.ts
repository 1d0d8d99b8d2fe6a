// Which site a host belongs to: the exact name, else the wildcard one label up. Immutable; lookup time does not grow.
import { wildcardOf } from '../core/hostname.ts';

export class HostTable<T> {
  readonly #sites: ReadonlyMap<string, T>;

  /** Keys: exact names, addresses and `*.` patterns in normal form (core/hostname). */
  constructor(sites: ReadonlyMap<string, T>) {
    this.#sites = sites;
  }

  /** `host` in normal form. */
  match(host: string): T | null {
    const exact = this.#sites.get(host);
    if (exact !== undefined) return exact;
    const wildcard = wildcardOf(host);
    return wildcard === null ? null : (this.#sites.get(wildcard) ?? null);
  }
}
