// A Storage whose process dies before its n-th change: that change and everything after it never happens. What was
// changed until then is what the next process finds.
import type { Storage } from '../../src/certs/storage/storage.ts';

export class CrashingStorage implements Storage {
  readonly #inner: Storage;
  #changesLeft: number;
  /** Whether the crash happened. */
  crashed = false;

  constructor(inner: Storage, changes: number) {
    this.#inner = inner;
    this.#changesLeft = changes;
  }

  store(key: string, value: string): Promise<void> {
    return this.#change(() => this.#inner.store(key, value));
  }

  move(from: string, to: string): Promise<void> {
    return this.#change(() => this.#inner.move(from, to));
  }

  delete(key: string): Promise<void> {
    return this.#change(() => this.#inner.delete(key));
  }

  load(key: string): Promise<string | null> {
    return this.#alive(() => this.#inner.load(key));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#alive(() => this.#inner.list(prefix));
  }

  assertWritable(): Promise<void> {
    return this.#alive(() => this.#inner.assertWritable());
  }

  locate(key: string): string {
    return this.#inner.locate(key);
  }

  async #change<T>(act: () => Promise<T>): Promise<T> {
    if (this.#changesLeft-- <= 0) this.crashed = true;
    return this.#alive(act);
  }

  async #alive<T>(act: () => Promise<T>): Promise<T> {
    if (this.crashed) throw new Error('the process is dead');
    return act();
  }
}
