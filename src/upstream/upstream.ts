// A route's group of targets, used in turn.
import type { Target } from './target.ts';

export class Upstream {
  readonly targets: readonly Target[];
  #turn = 0;

  constructor(targets: readonly Target[]) {
    this.targets = targets;
  }

  /** The next target that is not among those `tried`, or null when all have been. */
  pick(tried: readonly Target[]): Target | null {
    const count = this.targets.length;
    for (let i = 0; i < count; i++) {
      const target = this.targets[(this.#turn + i) % count]!;
      if (tried.includes(target)) continue;
      this.#turn = (this.#turn + i + 1) % count;
      return target;
    }
    return null;
  }
}
