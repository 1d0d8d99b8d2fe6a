// Which route of a site a path belongs to: an exact path beats the longest prefix. Immutable.

export interface PathPattern<T> {
  /** `/old` is exact, `/api/*` a prefix; both in normal form (http/request-target). */
  readonly path: string;
  readonly value: T;
}

export class PathTable<T> {
  readonly #exact = new Map<string, T>();
  /** Longest first. */
  readonly #prefixes: readonly { readonly prefix: string; readonly value: T }[];

  constructor(patterns: readonly PathPattern<T>[]) {
    const prefixes: { prefix: string; value: T }[] = [];
    for (const { path, value } of patterns) {
      if (path.endsWith('/*')) prefixes.push({ prefix: path.slice(0, -1), value });
      else this.#exact.set(path, value);
    }
    this.#prefixes = prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /** `path`: normalised, or `*`, which only `/*` matches. */
  match(path: string): T | null {
    if (this.#exact.size > 0) {
      const exact = this.#exact.get(path);
      if (exact !== undefined) return exact;
    }
    for (const { prefix, value } of this.#prefixes) {
      if (path.startsWith(prefix) || (prefix === '/' && path === '*')) return value;
    }
    return null;
  }
}
