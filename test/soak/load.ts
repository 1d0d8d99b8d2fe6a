// Mixed traffic at a steady rate: every kind at its weight, in an order that does not repeat.
import type { SoakClient } from './client.ts';
import type { Kind } from './traffic.ts';

const TICK_MS = 20;
/** Beyond this the proxy or this machine is behind; more would only make it worse. */
const MOST_AT_ONCE = 100;
const MOST_FAULTS = 20;

export class Load {
  /** How often each kind has ended well. */
  readonly done = new Map<string, number>();
  /** Wrong answers, in words. */
  readonly faults: string[] = [];
  /** Not begun for want of room. */
  skipped = 0;
  readonly #kinds: readonly Kind[];
  readonly #client: SoakClient;
  readonly #totalWeight: number;
  readonly #running = new Set<Promise<void>>();

  constructor(kinds: readonly Kind[], client: SoakClient) {
    this.#kinds = kinds;
    this.#client = client;
    this.#totalWeight = kinds.reduce((sum, { weight }) => sum + weight, 0);
    for (const { name } of kinds) this.done.set(name, 0);
  }

  /** Each kind once, one after another, so that even a short run has had them all. */
  async each(): Promise<void> {
    for (const kind of this.#kinds) await this.#run(kind);
  }

  /** `perSecond` for `seconds`; resolves when everything begun has ended. */
  async run(perSecond: number, seconds: number): Promise<void> {
    const begin = performance.now();
    let begun = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setInterval(() => {
      const passedMs = performance.now() - begin;
      for (; begun < (passedMs * perSecond) / 1_000; begun++) {
        if (this.#running.size >= MOST_AT_ONCE) this.skipped++;
        else this.#begin();
      }
      if (passedMs < seconds * 1_000 && this.faults.length < MOST_FAULTS) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
    await promise;
    await Promise.all(this.#running);
  }

  #begin(): void {
    const running = this.#run(this.#pick()).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #pick(): Kind {
    let at = Math.random() * this.#totalWeight;
    for (const kind of this.#kinds) {
      at -= kind.weight;
      if (at < 0) return kind;
    }
    return this.#kinds[0]!;
  }

  async #run({ name, run }: Kind): Promise<void> {
    try {
      await run(this.#client);
      this.done.set(name, this.done.get(name)! + 1);
    } catch (error) {
      if (this.faults.length < MOST_FAULTS) this.faults.push(`${name}: ${(error as Error).message.slice(0, 300)}`);
    }
  }
}
