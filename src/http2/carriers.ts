// The requests that a connection to an upstream has been given and that are not over: all that concerns more than one of them.
// Each may end others or begin new ones while it is told something, so a copy is gone through.
import type { PerantaraError } from '../core/errors.ts';
import type { ClientStream } from './client-stream.ts';

export class Carriers {
  readonly #all = new Set<ClientStream>();

  get size(): number {
    return this.#all.size;
  }

  add(carrier: ClientStream): void {
    this.#all.add(carrier);
  }

  /** Whether it was there. */
  delete(carrier: ClientStream): boolean {
    return this.#all.delete(carrier);
  }

  /** The connection is up. */
  onConnected(): void {
    for (const carrier of [...this.#all]) carrier.onConnected();
  }

  /** The server's SETTINGS have come. */
  onGreeted(): void {
    for (const carrier of [...this.#all]) carrier.onGreeted();
  }

  /** The server has done nothing of those above `lastStreamId`, and will not. `why`: ` after …`, or nothing. */
  refuseAbove(lastStreamId: number, why: string): void {
    for (const carrier of [...this.#all])
      if (carrier.streamId === 0 || carrier.streamId > lastStreamId) carrier.refuse(why);
  }

  fail(error: PerantaraError): void {
    for (const carrier of [...this.#all]) carrier.fail(error);
  }
}
