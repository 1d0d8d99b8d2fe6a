// Decides whose DATA leaves next: the connection's window and the socket's room are shared out among the streams that have
// content queued, one frame each in turn, so that a large download does not hold up small answers. The priority that a
// client gives (RFC 9218) decides between streams that wait at the same time.
import { FLUSH_BYTES } from '../core/output-limits.ts';
import { CONNECTION_QUEUE_BYTES } from './limits.ts';
import type { OutputSource, SessionOutput } from './session-output.ts';

/** A stream as the pump sees it. */
export interface Pumped {
  /** 0–7, 0 is served first (RFC 9218 section 4.1). */
  readonly urgency: number;
  /** Whether others of the same urgency get their turn after each frame. */
  readonly incremental: boolean;
  /** Among those that are waiting to be served. */
  isReady: boolean;
  /** Whether its source has been told to wait. */
  isHeld: boolean;
  /** Writes one frame. Returns whether it could write another one now. */
  pumpFrame(): boolean;
  /** Tells its source to go on if there is room. Returns whether it did. */
  offerRoom(): boolean;
}

/** Frames in a row of a stream that is not incremental. */
const RUN_FRAMES = 4;
/** How often sources are offered room in one turn of the event loop: what they have may be without end. */
const MOST_ROUNDS = 4;
const URGENCIES = 8;

export class DataPump implements OutputSource {
  /** What may still be sent on the connection. */
  window: number;
  /** Content queued by all streams. */
  queuedBytes = 0;
  readonly #output: () => SessionOutput;
  readonly #ready: Pumped[][] = [];
  #readyCount = 0;
  #held: Pumped[] = [];
  #filling = false;

  constructor(window: number, output: () => SessionOutput) {
    this.window = window;
    this.#output = output;
  }

  /** Whether nobody waits, so that whoever has something may write it at once. */
  get idle(): boolean {
    return this.#readyCount === 0 && !this.#filling;
  }

  /** Whether so much is queued that only a stream with nothing in the queue may add to it. */
  get crowded(): boolean {
    return this.queuedBytes >= CONNECTION_QUEUE_BYTES;
  }

  /** `stream` has something to send, and its own window allows it. */
  add(stream: Pumped): void {
    if (!stream.isReady) this.#enqueue(stream);
    const output = this.#output();
    if (this.queuedBytes >= FLUSH_BYTES && !output.blocked) this.fill();
    else output.flushLater();
  }

  /** The source of `stream` has been told to wait, and is to be told when it may go on. */
  hold(stream: Pumped): void {
    if (stream.isHeld) return;
    stream.isHeld = true;
    this.#held.push(stream);
  }

  /** It is over. */
  remove(stream: Pumped): void {
    if (stream.isReady) {
      stream.isReady = false;
      const line = this.#ready[stream.urgency]!;
      line.splice(line.indexOf(stream), 1);
      this.#readyCount--;
    }
    if (stream.isHeld) {
      stream.isHeld = false;
      this.#held.splice(this.#held.indexOf(stream), 1);
    }
  }

  /** The priority of `stream` changes. */
  move(stream: Pumped, change: () => void): void {
    const wasReady = stream.isReady;
    if (wasReady) {
      const line = this.#ready[stream.urgency]!;
      line.splice(line.indexOf(stream), 1);
      this.#readyCount--;
    }
    change();
    if (wasReady) this.#enqueue(stream);
  }

  /** What sources give while they are offered room is queued, and leaves when all have been: none takes all there is. */
  fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    const output = this.#output();
    try {
      for (let rounds = 0; ; rounds++) {
        while (this.#readyCount > 0 && this.window > 0 && !output.blocked) this.#serveNext();
        if (output.blocked || this.#held.length === 0) break;
        if (rounds === MOST_ROUNDS) {
          output.flushLater();
          break;
        }
        this.#offerRoom();
        if (this.#readyCount === 0 || this.window <= 0) break;
      }
    } finally {
      this.#filling = false;
    }
  }

  #enqueue(stream: Pumped): void {
    stream.isReady = true;
    this.#readyCount++;
    let line = this.#ready[stream.urgency];
    if (line === undefined) {
      while (this.#ready.length < URGENCIES) this.#ready.push([]);
      line = this.#ready[stream.urgency]!;
    }
    line.push(stream);
  }

  #serveNext(): void {
    for (const line of this.#ready) {
      const stream = line[0];
      if (stream === undefined) continue;
      line.shift();
      this.#readyCount--;
      stream.isReady = false;
      let left = stream.incremental ? 1 : RUN_FRAMES;
      let wantsMore = stream.pumpFrame();
      while (wantsMore && --left > 0 && this.window > 0 && !this.#output().blocked) wantsMore = stream.pumpFrame();
      if (wantsMore) this.#enqueue(stream);
      return;
    }
  }

  #offerRoom(): void {
    const held = this.#held;
    this.#held = [];
    for (const stream of held) stream.isHeld = false;
    for (const stream of held) if (!stream.offerRoom()) this.hold(stream);
  }
}
