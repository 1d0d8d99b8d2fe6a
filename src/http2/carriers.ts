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

  /** The server's first SETTINGS have come: of those that waited for them it takes `room`, by which the others go elsewhere. */
  onGreeted(room: number): void {
    let left = room;
    for (const carrier of [...this.#all])
      if (carrier.streamId !== 0 || left-- > 0) carrier.onGreeted();
      else carrier.refuse('the upstream takes no more requests on this connection');
  }

  /** The server has done nothing of those above `lastStreamId`, and will not. */
  refuseAbove(lastStreamId: number, what: string): void {
    for (const carrier of [...this.#all])
      if (carrier.streamId === 0 || carrier.streamId > lastStreamId) carrier.refuse(what);
  }

  fail(error: PerantaraError): void {
    for (const carrier of [...this.#all]) carrier.fail(error);
  }
}
