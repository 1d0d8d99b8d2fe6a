// The names that storage has certificates on demand for, as handshakes need to know them: at once, from memory.
import { folderOf } from './name.ts';

/** `folder`: as a name's is called. */
export type OnStored = (folder: string, isGone: boolean) => void;

export class DemandedNames {
  readonly #folders = new Set<string>();
  readonly #onStored: OnStored;

  /** `onStored`: told of each that comes or goes, but not of those that are learnt. Default: nobody wants to know. */
  constructor(onStored: OnStored = () => {}) {
    this.#onStored = onStored;
  }

  get folders(): Iterable<string> {
    return this.#folders;
  }

  has(name: string): boolean {
    return this.#folders.has(folderOf(name));
  }

  learn(folders: Iterable<string>): void {
    for (const folder of folders) this.#folders.add(folder);
  }

  add(name: string): void {
    const folder = folderOf(name);
    if (this.#folders.has(folder)) return;
    this.#folders.add(folder);
    this.#onStored(folder, false);
  }

  delete(name: string): void {
    const folder = folderOf(name);
    if (this.#folders.delete(folder)) this.#onStored(folder, true);
  }
}
