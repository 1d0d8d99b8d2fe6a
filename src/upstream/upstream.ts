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
  /** Requests of its route that are on their way to a target or back. */
  inflight = 0;
  #turn = 0;

  constructor(targets: readonly Target[]) {
    this.targets = targets;
  }

  /** The next target that is not drained nor among those `tried`, or null when there is none. */
  pick(tried: readonly Target[]): Target | null {
    const count = this.targets.length;
    for (let i = 0; i < count; i++) {
      const target = this.targets[(this.#turn + i) % count]!;
      if (target.drained || tried.includes(target)) continue;
      this.#turn = (this.#turn + i + 1) % count;
      return target;
    }
    return null;
  }

  /** Whether none of its targets may be picked, whatever was tried. */
  get drained(): boolean {
    return this.targets.length > 0 && this.targets.every(({ drained }) => drained);
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
