// Where accepted sockets wait while they may not be let in yet: nothing that they send is looked at.
import type { Socket } from 'node:net';
import type { Accept, Listening } from './listeners.ts';

export class WaitingRoom {
  readonly #accept: Accept;
  /** null: nobody has to wait any more. */
  #waiting: { readonly socket: Socket; readonly listening: Listening }[] | null = [];

  constructor(accept: Accept) {
    this.#accept = accept;
  }

  enter(socket: Socket, listening: Listening): void {
    if (this.#waiting === null) this.#accept(socket, listening);
    else this.#waiting.push({ socket: socket.on('error', () => {}), listening });
  }

  /** Lets in who waits, and from now on everybody at once. */
  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { socket, listening } of waiting) if (!socket.destroyed) this.#accept(socket, listening);
  }

  destroy(): void {
    for (const { socket } of this.#waiting ?? []) socket.destroy();
  }
}
