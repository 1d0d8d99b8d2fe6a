// The streams of a session: those that are open, and how the last ones that are not came to their end, by which frames that
// still come for them are judged (RFC 9113 section 5.1).
import type { Ending, Stream } from './stream.ts';

/** A power of two. */
const REMEMBERED = 128;
const ENDINGS: readonly Ending[] = ['ended', 'reset-by-peer', 'reset-by-us'];

export class StreamTable<S extends Stream> {
  /** The highest that was opened. */
  lastId = 0;
  readonly #open = new Map<number, S>();
  /** By half of the identifier: a stream's identifier, and how it ended. Made with the first. */
  #ids: Uint32Array | null = null;
  #endings: Uint8Array | null = null;

  get size(): number {
    return this.#open.size;
  }

  get(id: number): S | undefined {
    return this.#open.get(id);
  }

  /** Whether the stream was opened at some time. Only clients open streams here, and theirs are odd. */
  wasOpened(id: number): boolean {
    return id <= this.lastId && id % 2 === 1;
  }

  /** A copy: what is done to one may close others. */
  all(): S[] {
    return [...this.#open.values()];
  }

  add(stream: S): void {
    this.#open.set(stream.streamId, stream);
  }

  /** `id` is not open any more, or never became so. */
  end(id: number, how: Ending): void {
    this.#open.delete(id);
    this.#ids ??= new Uint32Array(REMEMBERED);
    this.#endings ??= new Uint8Array(REMEMBERED);
    const place = (id >>> 1) & (REMEMBERED - 1);
    this.#ids[place] = id;
    this.#endings[place] = ENDINGS.indexOf(how);
  }

  /** How a stream that is not open ended; null: never opened, or too long ago. */
  endingOf(id: number): Ending | null {
    const place = (id >>> 1) & (REMEMBERED - 1);
    return this.#ids === null || this.#ids[place] !== id ? null : ENDINGS[this.#endings![place]!]!;
  }
}
