// How much the peer may still send on a stream or a connection (RFC 9113 section 6.9), and when it is told that it may more.

export class ReceiveWindow {
  /** What it is when nothing has been sent. */
  size: number;
  #left: number;
  /** Taken on since the peer was last told. */
  #returned = 0;

  constructor(size: number) {
    this.size = size;
    this.#left = size;
  }

  /** Bytes the peer may still send; below zero when it has sent more than it might. */
  get left(): number {
    return this.#left;
  }

  /** Bytes have come. False: more than was allowed. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** Bytes have been passed on. Returns by how much to enlarge the window, which mostly waits until it is half used up: 0. */
  giveBack(bytes: number): number {
    this.#returned += bytes;
    return this.#returned * 2 < this.size ? 0 : this.#announce();
  }

  /** Makes it larger by `bytes`; returns what to tell the peer. */
  grow(bytes: number): number {
    this.size += bytes;
    this.#returned += bytes;
    return this.#announce();
  }

  #announce(): number {
    const bytes = this.#returned;
    this.#returned = 0;
    this.#left += bytes;
    return bytes;
  }
}
