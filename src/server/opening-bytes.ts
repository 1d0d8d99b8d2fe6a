// Reads what a connection begins with before anybody else reads it: a PROXY header, or the bytes that tell one protocol from
// another. What is not used up is put back. Each wait has its deadline; a connection that ends meanwhile is let go.
import type { Socket } from 'node:net';
import type { DeadlineSweep, Expiring } from '../core/deadlines.ts';

/** What the first bytes say, and where the next reader begins. */
export interface Opening<T> {
  readonly value: T;
  readonly end: number;
}

export class OpeningBytes {
  readonly #sweep: DeadlineSweep;
  readonly #waitMs: () => number;
  readonly #waiting = new Set<Socket>();

  /** `waitMs`: how long they may take. */
  constructor(sweep: DeadlineSweep, waitMs: () => number) {
    this.#sweep = sweep;
    this.#waitMs = waitMs;
  }

  /** Calls `done` once `decide` knows (null: it needs more), with the socket paused; when it throws, `refuse`, and the socket is destroyed. */
  read<T>(
    socket: Socket,
    decide: (known: Buffer) => Opening<T> | null,
    done: (value: T) => void,
    refuse: (error: unknown) => void,
  ): void {
    let known = Buffer.alloc(0);
    const deadline: Expiring = {
      deadlineAt: this.#sweep.after(this.#waitMs()),
      onDeadline: () => void socket.destroy(),
    };
    const leave = (): void => {
      this.#sweep.delete(deadline);
      this.#waiting.delete(socket);
      socket.off('data', onData).off('error', onError).off('end', onEnd).off('close', leave);
    };
    const onError = (): void => {}; // 'close' follows
    const onEnd = (): void => void socket.destroy();
    const onData = (chunk: Buffer): void => {
      known = Buffer.concat([known, chunk]);
      try {
        const opening = decide(known);
        if (opening === null) return;
        leave();
        socket.pause();
        if (opening.end < known.length) socket.unshift(known.subarray(opening.end));
        done(opening.value);
      } catch (error) {
        refuse(error);
        socket.destroy();
      }
    };
    this.#waiting.add(socket);
    this.#sweep.add(deadline);
    socket.on('data', onData).on('error', onError).on('end', onEnd).on('close', leave);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  /** Cuts off those that are waited for. */
  destroy(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}
