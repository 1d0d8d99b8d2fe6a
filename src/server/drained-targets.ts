// The targets that an operator has drained, by name: held where the configuration is, handed to whoever serves. Outlives
// configurations for as long as they name the target; does not outlive the process.
import type { Config } from '../config/config.ts';
import { targetNames } from './target-registry.ts';

export class DrainedTargets {
  #names: ReadonlySet<string> = new Set();

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** False when it was so already. */
  set(name: string, isDrained: boolean): boolean {
    if (this.#names.has(name) === isDrained) return false;
    const names = new Set(this.#names);
    if (isDrained) names.add(name);
    else names.delete(name);
    this.#names = names;
    return true;
  }

  keepOnly(config: Config): void {
    if (this.#names.size === 0) return;
    const known = targetNames(config);
    this.#names = new Set([...this.#names].filter((name) => known.has(name)));
  }
}
