// What is counted of one site: its routes, and what came to none of them (a redirect to https, 404).
import type { FigureRow } from './figure-table.ts';
import { RouteTally } from './route-tally.ts';

/** In place of a site or route when there is none: no host and no path can be this. */
export const NONE = '(none)';

export class SiteTallies {
  readonly #site: string;
  readonly none: RouteTally;
  readonly #routes: ReadonlyMap<string, RouteTally>;

  /** `routes`: paths as in the configuration. `former`: of the same site in the configuration before; what stays counts on. */
  constructor(site: string, routes: readonly string[], former: SiteTallies | null = null) {
    this.#site = site;
    this.none = former?.none ?? new RouteTally(site, NONE);
    this.#routes = new Map(routes.map((route) => [route, former?.find(route) ?? new RouteTally(site, route)]));
  }

  /** One of its routes. */
  route(path: string): RouteTally {
    const tally = this.find(path);
    if (tally === null) throw new TypeError(`"${this.#site}" has no route "${path}"`);
    return tally;
  }

  find(path: string): RouteTally | null {
    return this.#routes.get(path) ?? null;
  }

  /** Of those that had an exchange. */
  get rows(): readonly FigureRow[] {
    const rows = this.none.row === null ? [] : [this.none.row];
    for (const { row } of this.#routes.values()) if (row !== null) rows.push(row);
    return rows;
  }
}
