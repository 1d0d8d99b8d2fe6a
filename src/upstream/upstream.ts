// A route's group of targets, used in turn.
import type { Target } from './target.ts';

/** An exchange that carries another protocol's bytes, and so has no end of its own. */
export interface Tunnel {
  /** Ends it for both sides. */
  cut(): void;
}

export class Upstream {
  readonly targets: readonly Target[];
  /** Those under way; whoever makes one adds it, and takes it away when it has ended. */
  readonly tunnels = new Set<Tunnel>();
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

  /** Whether there are tunnels under way, or may be requests that become some. */
  get busy(): boolean {
    return this.tunnels.size > 0 || this.targets.some(({ busy }) => busy);
  }

  /** Ends its tunnels; everything else ends by itself. */
  destroy(): void {
    for (const tunnel of [...this.tunnels]) tunnel.cut();
  }
}
