// Sends content on streams of a raw HTTP/2 peer as far as the other side's windows allow, and no further.
import { DATA, data, END_STREAM } from './h2-frames.ts';
import type { H2Peer } from './h2-peer.ts';
import { H2Windows } from './h2-windows.ts';

const FRAME_BYTES = 16_384;
/** The other side has no more room when none comes for so many turns. */
const QUIET_TURNS = 40;

export class H2Upload {
  readonly windows: H2Windows;
  readonly #peer: H2Peer;

  constructor(peer: H2Peer) {
    this.#peer = peer;
    this.windows = new H2Windows(peer.frames);
  }

  /** Sends at most `bytes` now; returns how many. */
  push(stream: number, bytes: number): number {
    const allowed = Math.max(0, Math.min(bytes, this.windows.window(stream)));
    const frames: Buffer[] = [];
    for (let left = allowed; left > 0; left -= FRAME_BYTES)
      frames.push(data(stream, Buffer.alloc(Math.min(left, FRAME_BYTES), 'u')));
    if (frames.length > 0) this.#peer.send(...frames);
    this.windows.send(stream, allowed);
    return allowed;
  }

  /** Sends `bytes`, or as many of them as the other side takes until it stands still. Returns how many it took. */
  async fill(stream: number, bytes: number): Promise<number> {
    let sent = 0;
    for (let quiet = 0; quiet < QUIET_TURNS && sent < bytes; ) {
      const now = this.push(stream, bytes - sent);
      sent += now;
      quiet = now > 0 ? 0 : quiet + 1;
      await new Promise((resolve) => setTimeout(resolve, quiet > 2 ? 5 : 0));
    }
    return sent;
  }

  end(stream: number): void {
    this.#peer.frame(DATA, END_STREAM, stream);
  }
}
