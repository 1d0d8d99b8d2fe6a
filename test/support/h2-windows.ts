// How much one side of a raw HTTP/2 connection may send, by the SETTINGS and WINDOW_UPDATE that came and what it has sent.
import { type Frame, INITIAL_WINDOW_SIZE, SETTINGS, WINDOW_UPDATE } from './h2-frames.ts';

const DEFAULT_WINDOW = 65_535;

export class H2Windows {
  /** All that came. */
  readonly #frames: readonly Frame[];
  #looked = 0;
  #initial = DEFAULT_WINDOW;
  readonly #granted = new Map<number, number>();
  readonly #sent = new Map<number, number>();

  constructor(frames: readonly Frame[]) {
    this.#frames = frames;
  }

  /** So much DATA has been sent. */
  send(stream: number, bytes: number): void {
    for (const id of [0, stream]) this.#sent.set(id, this.sent(id) + bytes);
  }

  /** Bytes sent on this stream, or with 0 on all. */
  sent(stream: number): number {
    return this.#sent.get(stream) ?? 0;
  }

  /** Bytes that may be sent on this stream now. */
  window(stream: number): number {
    return Math.min(this.own(stream), DEFAULT_WINDOW + this.#grantedTo(0) - this.sent(0));
  }

  /** The window of the stream alone. */
  own(stream: number): number {
    for (; this.#looked < this.#frames.length; this.#looked++) this.#note(this.#frames[this.#looked]!);
    return this.#initial + this.#grantedTo(stream) - this.sent(stream);
  }

  #note(came: Frame): void {
    const { type, stream, payload } = came;
    if (type === WINDOW_UPDATE) this.#granted.set(stream, this.#grantedTo(stream) + payload.readUInt32BE(0));
    if (type !== SETTINGS || came.flags !== 0) return;
    for (const [id, value] of came.settings) if (id === INITIAL_WINDOW_SIZE) this.#initial = value;
  }

  #grantedTo(stream: number): number {
    return this.#granted.get(stream) ?? 0;
  }
}
