// Storage and Locker without a disk, for tests of what stands on them; they pass the same contracts.

import { checkStorageKey, type Lock, type Locker, type Storage } from '../../src/certs/storage/storage.ts';
import { PerantaraError } from '../../src/core/errors.ts';

export class MemoryStorage implements Storage {
  readonly values: Map<string, string>;

  /** `values`: what a former instance kept. */
  constructor(values = new Map<string, string>()) {
    this.values = values;
  }

  async store(key: string, value: string): Promise<void> {
    checkStorageKey(key);
    this.values.set(key, value);
  }

  async load(key: string): Promise<string | null> {
    checkStorageKey(key);
    return this.values.get(key) ?? null;
  }

  async move(from: string, to: string): Promise<void> {
    checkStorageKey(to);
    const value = await this.load(from);
    if (value === null) return;
    this.values.set(to, value);
    this.values.delete(from);
  }

  async delete(key: string): Promise<void> {
    checkStorageKey(key);
    this.values.delete(key);
  }

  async list(prefix: string): Promise<readonly string[]> {
    checkStorageKey(prefix);
    return [...this.values.keys()].filter((key) => key.startsWith(`${prefix}/`)).sort();
  }

  async assertWritable(): Promise<void> {}

  locate(key: string): string {
    checkStorageKey(key);
    return `memory:/${key}`;
  }
}

/** Nobody dies in memory: an abandoned lock is one whose holder said so. */
export class MemoryLocker implements Locker {
  readonly #held: Map<string, Promise<void>>;

  constructor(held = new Map<string, Promise<void>>()) {
    this.#held = held;
  }

  async acquire(name: string, signal: AbortSignal): Promise<Lock> {
    checkStorageKey(name);
    signal.throwIfAborted();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (let holder = this.#held.get(name); holder !== undefined; holder = this.#held.get(name)) {
      await Promise.race([holder, aborted]);
      signal.throwIfAborted();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(name, promise);
    let released = false;
    return {
      lost: new AbortController().signal,
      assertHeld: async () => {
        if (released) throw new PerantaraError('cannot keep lock: released', { code: 'lock_lost', source: 'internal' });
      },
      release: async () => {
        if (released) return;
        released = true;
        this.#held.delete(name);
        resolve();
      },
    };
  }
}
