// A client that has closed its side may still read, or be gone: FIN looks the same. Whoever is gone answers bytes with RST,
// at the second write at the latest.
import type { Socket } from 'node:net';
import { HALF_CLOSED_MS } from '../http/grace.ts';
import type { ServerExchange } from './server-exchange.ts';

export class HalfClosedWatch {
  /** How long to wait for the next sign. */
  waitMs = HALF_CLOSED_MS;
  readonly #socket: Socket;
  #written = 0;
  #probes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  start(): void {
    this.#written = this.#socket.bytesWritten;
  }

  /** Whether response bytes went out that met no reset, or, where there were none, others could be sent, ever more seldom. */
  isStillThere(exchange: ServerExchange): boolean {
    if (this.#socket.bytesWritten > this.#written) return true;
    if (this.#probes++ > 0) this.waitMs *= 2; // a reset that came after the FIN shows only at the second write
    return exchange.probe();
  }
}
