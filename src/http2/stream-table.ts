// The streams of a session: those that are open, and how the last ones that are not came to their end, by which frames that
// still come for them are judged (RFC 9113 section 5.1).
import type { Ending, Stream } from './stream.ts';

/** Places for open streams, and endings that are remembered; a power of two. */
const PLACES = 128;
const ENDINGS: readonly Ending[] = ['ended', 'reset-by-peer', 'reset-by-us'];

export class StreamTable<S extends Stream> {
  /** The highest that was opened. */
  lastId = 0;
  /** Number of open streams. */
  size = 0;
  /** By half of the identifier: new ones differ in it. Made with the first. */
  #open: (S | null)[] | null = null;
  /** Those whose place an older one still has: a map of growing numbers costs more than the rest of a stream's end. */
  readonly #displaced = new Map<number, S>();
  /** By half of the identifier: a stream's identifier, and how it ended. Made with the first. */
  #ids: Uint32Array | null = null;
  #endings: Uint8Array | null = null;

  get(id: number): S | undefined {
    const stream = this.#open?.[placeOf(id)];
    if (stream !== null && stream !== undefined && stream.streamId === id) return stream;
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(id);
  }

  /** Whether the stream was opened at some time. Only clients open streams here, and theirs are odd. */
  wasOpened(id: number): boolean {
    return id <= this.lastId && id % 2 === 1;
  }

  /** A copy: what is done to one may close others. */
  all(): S[] {
    const placed = this.#open?.filter((stream) => stream !== null) ?? [];
    return [...placed, ...this.#displaced.values()];
  }

  add(stream: S): void {
    this.#open ??= new Array<S | null>(PLACES).fill(null);
    const place = placeOf(stream.streamId);
    this.size++;
    if (this.#open[place] === null) this.#open[place] = stream;
    else this.#displaced.set(stream.streamId, stream);
  }

  /** `id` is not open any more, or never became so. */
  end(id: number, how: Ending): void {
    this.#remove(id);
    this.#ids ??= new Uint32Array(PLACES);
    this.#endings ??= new Uint8Array(PLACES);
    const place = placeOf(id);
    this.#ids[place] = id;
    this.#endings[place] = ENDINGS.indexOf(how);
  }

  /** END_STREAM has come for a stream that we had reset: nothing may follow. */
  endLate(id: number): void {
    if (this.endingOf(id) === 'reset-by-us') this.end(id, 'ended');
  }

  /** How a stream that is not open ended; null: never opened, or too long ago. */
  endingOf(id: number): Ending | null {
    const place = placeOf(id);
    return this.#ids === null || this.#ids[place] !== id ? null : ENDINGS[this.#endings![place]!]!;
  }

  #remove(id: number): void {
    const open = this.#open;
    if (open === null) return;
    const place = placeOf(id);
    if (open[place]?.streamId === id) open[place] = null;
    else if (!this.#displaced.delete(id)) return;
    this.size--;
  }
}

function placeOf(id: number): number {
  return (id >>> 1) & (PLACES - 1);
}
