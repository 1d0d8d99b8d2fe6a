// The live targets, one for each address and its settings whichever routes use it.
import type { TargetAddress } from '../config/config.ts';
import { Target, type TargetOptions } from '../upstream/target.ts';

export class TargetRegistry {
  readonly #targets = new Map<string, Target>();
  readonly #options: TargetOptions;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  readonly get = (address: TargetAddress): Target => {
    const id = JSON.stringify(address);
    let target = this.#targets.get(id);
    if (target === undefined) {
      target = new Target(address, this.#options);
      this.#targets.set(id, target);
    }
    return target;
  };

  /** Closes idle upstream connections now, busy ones when they become idle. */
  closeIdle(): void {
    for (const target of this.#targets.values()) target.closeIdle();
  }

  destroy(): void {
    for (const target of this.#targets.values()) target.destroy();
  }
}
