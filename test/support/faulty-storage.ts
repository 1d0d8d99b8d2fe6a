// A Storage on a medium that fails or takes its time when a test says so.
import { setTimeout as delay } from 'node:timers/promises';
import type { Storage } from '../../src/certs/storage/storage.ts';

export type Operation = 'store' | 'load' | 'move' | 'delete' | 'list' | 'assertWritable';

export class FaultyStorage implements Storage {
  readonly #inner: Storage;
  /** Asked before each operation; an error is what the medium says instead of doing it. */
  fault: (operation: Operation, key: string) => Error | null = () => null;
  /** How long each operation takes before it begins. */
  delayMs = 0;

  constructor(inner: Storage) {
    this.#inner = inner;
  }

  store(key: string, value: string): Promise<void> {
    return this.#try('store', key, () => this.#inner.store(key, value));
  }

  load(key: string): Promise<string | null> {
    return this.#try('load', key, () => this.#inner.load(key));
  }

  move(from: string, to: string): Promise<void> {
    return this.#try('move', from, () => this.#inner.move(from, to));
  }

  delete(key: string): Promise<void> {
    return this.#try('delete', key, () => this.#inner.delete(key));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#try('list', prefix, () => this.#inner.list(prefix));
  }

  assertWritable(): Promise<void> {
    return this.#try('assertWritable', '', () => this.#inner.assertWritable());
  }

  locate(key: string): string {
    return this.#inner.locate(key);
  }

  async #try<T>(operation: Operation, key: string, act: () => Promise<T>): Promise<T> {
    if (this.delayMs > 0) await delay(this.delayMs);
    const error = this.fault(operation, key);
    if (error !== null) throw error;
    return act();
  }
}
