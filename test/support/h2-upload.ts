// Sends content on streams of a raw HTTP/2 peer as far as the other side's windows allow, and no further.
import { DATA, data, END_STREAM, INITIAL_WINDOW_SIZE, SETTINGS, WINDOW_UPDATE } from './h2-frames.ts';
import type { H2Peer } from './h2-peer.ts';

const DEFAULT_WINDOW = 65_535;
const FRAME_BYTES = 16_384;
/** The other side has no more room when none comes for so many turns. */
const QUIET_TURNS = 40;

export class H2Upload {
  readonly #peer: H2Peer;
  readonly #sent = new Map<number, number>();
  #looked = 0;
  #initial = DEFAULT_WINDOW;
  readonly #granted = new Map<number, number>();

  constructor(peer: H2Peer) {
    this.#peer = peer;
  }

  /** Bytes sent on this stream, or with 0 on all. */
  sent(stream: number): number {
    return this.#sent.get(stream) ?? 0;
  }

  /** Bytes that may be sent on this stream now. */
  window(stream: number): number {
    const { frames } = this.#peer;
    for (; this.#looked < frames.length; this.#looked++) {
      const came = frames[this.#looked]!;
      if (came.type === WINDOW_UPDATE) this.#grant(came.stream, came.payload.readUInt32BE(0));
      if (came.type !== SETTINGS || came.flags !== 0) continue;
      for (const [id, value] of came.settings) if (id === INITIAL_WINDOW_SIZE) this.#initial = value;
    }
    const own = this.#initial + (this.#granted.get(stream) ?? 0) - this.sent(stream);
    return Math.min(own, DEFAULT_WINDOW + (this.#granted.get(0) ?? 0) - this.sent(0));
  }

  /** Sends at most `bytes` now; returns how many. */
  push(stream: number, bytes: number): number {
    const allowed = Math.max(0, Math.min(bytes, this.window(stream)));
    const frames: Buffer[] = [];
    for (let left = allowed; left > 0; left -= FRAME_BYTES)
      frames.push(data(stream, Buffer.alloc(Math.min(left, FRAME_BYTES), 'u')));
    if (frames.length > 0) this.#peer.send(...frames);
    for (const id of [0, stream]) this.#sent.set(id, this.sent(id) + allowed);
    return allowed;
  }

  /** Sends `bytes`, or as many of them as the other side takes until it stands still. Returns how many it took. */
  async fill(stream: number, bytes: number): Promise<number> {
    const before = this.sent(stream);
    for (let quiet = 0; quiet < QUIET_TURNS && this.sent(stream) - before < bytes; ) {
      if (this.push(stream, bytes - (this.sent(stream) - before)) > 0) quiet = 0;
      else quiet++;
      await new Promise((resolve) => setTimeout(resolve, quiet > 2 ? 5 : 0));
    }
    return this.sent(stream) - before;
  }

  end(stream: number): void {
    this.#peer.frame(DATA, END_STREAM, stream);
  }

  #grant(stream: number, bytes: number): void {
    this.#granted.set(stream, (this.#granted.get(stream) ?? 0) + bytes);
  }
}
