// The live targets, one for each address and its settings whichever routes use it. They outlive configurations.
import type { Config, TargetAddress } from '../config/config.ts';
import { showTarget } from '../config/target.ts';
import { Target, type TargetOptions } from '../upstream/target.ts';

export class TargetRegistry {
  readonly #targets = new Map<string, Target>();
  readonly #options: TargetOptions;
  #drained: ReadonlySet<string> = new Set();

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  readonly get = (address: TargetAddress): Target => {
    const id = JSON.stringify(address);
    let target = this.#targets.get(id);
    if (target === undefined) {
      target = new Target(address, this.#options);
      target.drained = this.#drained.has(target.name);
      this.#targets.set(id, target);
    }
    return target;
  };

  /** Those of the configuration in force. */
  get all(): Iterable<Target> {
    return this.#targets.values();
  }

  /** Those with these names get no new requests from now on, all others do; also those that another configuration brings. */
  drain(names: ReadonlySet<string>): void {
    this.#drained = names;
    for (const target of this.#targets.values()) target.drained = names.has(target.name);
  }

  /** Forgets the targets that `config` has not, and returns them: they take no new connections, and are the caller's to end. */
  keepOnly(config: Config): readonly Target[] {
    const kept = new Set(targetsOf(config).map((address) => JSON.stringify(address)));
    const former: Target[] = [];
    for (const [id, target] of this.#targets) {
      if (kept.has(id)) continue;
      this.#targets.delete(id);
      target.closeIdle();
      former.push(target);
    }
    return former;
  }

  /** Closes idle upstream connections now, busy ones when they become idle. */
  closeIdle(): void {
    for (const target of this.#targets.values()) target.closeIdle();
  }

  destroy(): void {
    for (const target of this.#targets.values()) target.destroy();
  }
}

/** As messages have them. */
export function targetNames(config: Config): ReadonlySet<string> {
  return new Set(targetsOf(config).map((address) => showTarget(address)));
}

function targetsOf({ sites, onDemand }: Config): readonly TargetAddress[] {
  const routes = [...sites.flatMap((site) => site.routes), ...(onDemand?.routes ?? [])];
  return routes.flatMap(({ action }) => (action.kind === 'proxy' ? action.targets : []));
}
