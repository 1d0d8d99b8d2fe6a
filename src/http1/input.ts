// Bytes of a connection that have been read and not yet used.

export class Input {
  /** What `at` is an offset of; null when nothing is left. */
  bytes: Buffer | null = null;
  at = 0;

  /** Bytes not yet used. */
  get length(): number {
    return this.bytes === null ? 0 : this.bytes.length - this.at;
  }

  /** `chunk` may be lent: call `keep` before it is taken back. */
  push(chunk: Buffer): void {
    this.bytes = this.bytes === null ? chunk : Buffer.concat([this.bytes.subarray(this.at), chunk]);
    this.at = 0;
  }

  /** Everything before the offset `to` has been used. */
  advance(to: number): void {
    if (this.bytes === null) return; // cleared meanwhile
    if (to >= this.bytes.length) this.bytes = null;
    else this.at = to;
  }

  /** Copies what is left of the lent `chunk`. */
  keep(chunk: Buffer): void {
    if (this.bytes !== chunk) return;
    this.bytes = Buffer.from(chunk.subarray(this.at));
    this.at = 0;
  }

  clear(): void {
    this.bytes = null;
  }
}
