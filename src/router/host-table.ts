// Which site a host belongs to: the exact name, else the wildcard one label up, else the site for all that got a certificate
// on demand. Immutable; lookup time does not grow.
import { wildcardOf } from '../core/hostname.ts';

/** The site of hosts that are not in the table. */
export interface OtherHosts<T> {
  readonly site: T;
  /** `host` in normal form. */
  readonly has: (host: string) => boolean;
}

export class HostTable<T> {
  readonly #sites: ReadonlyMap<string, T>;
  readonly #others: OtherHosts<T> | null;

  /** Keys: exact names, addresses and `*.` patterns in normal form (core/hostname). */
  constructor(sites: ReadonlyMap<string, T>, others: OtherHosts<T> | null = null) {
    this.#sites = sites;
    this.#others = others;
  }

  /** `host` in normal form. */
  match(host: string): T | null {
    const exact = this.#sites.get(host);
    if (exact !== undefined) return exact;
    const wildcard = wildcardOf(host);
    const covering = wildcard === null ? undefined : this.#sites.get(wildcard);
    if (covering !== undefined) return covering;
    return this.#others?.has(host) ? this.#others.site : null;
  }
}
