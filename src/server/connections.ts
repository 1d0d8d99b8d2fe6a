// The client connections of one process, each with the listener that it came by: begun here, drained or cut together.
import type { Socket } from 'node:net';
import type { TimeoutConfig } from '../config/config.ts';
import type { ConnectionServices } from '../core/connection-services.ts';
import type { PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Client, Handler } from '../http/exchange.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import { ServerSession } from '../http2/server-session.ts';
import type { Listening } from './listeners.ts';

export interface ConnectionsOptions extends ConnectionServices {
  /** Those in force; each connection keeps the ones it began with. */
  readonly timeouts: TimeoutConfig;
  readonly records: ExchangeFeed;
  readonly log: Logger;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Map<ServerConnection | ServerSession, Listening>();
  #isDraining = false;
  #onEmpty: () => void = () => {};

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Answers the requests of `client` with `handler`. */
  serve(socket: Socket, client: Client, listening: Listening, handler: Handler, speaksHttp2: boolean): void {
    const { timeouts, records, sweep, turn, buffers, log } = this.#options;
    const options = {
      scheme: client.servername === null ? ('http' as const) : ('https' as const),
      handler,
      records,
      timeouts,
      sweep,
      turn,
      buffers,
      onFault: (error: PerantaraError) => log.error({ err: error }, 'request failed inside Perantara'),
      onClose: () => {
        this.#open.delete(connection);
        if (this.#open.size === 0) this.#onEmpty();
      },
    };
    const connection = speaksHttp2
      ? new ServerSession(socket, client, options)
      : new ServerConnection(socket, client, options);
    this.#open.set(connection, listening);
    connection.start();
    if (this.#isDraining) connection.drain();
  }

  /** Closes idle connections now, busy ones after what is under way; only those that came by `former`, else those that still come, too. */
  drain(former: ReadonlySet<Listening> | null = null): void {
    this.#isDraining ||= former === null;
    for (const [connection, listening] of this.#open) if (former === null || former.has(listening)) connection.drain();
  }

  /** Resolves when none is left, or after `waitMs`. */
  async empty(waitMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
  }

  /** Cuts all of them; ends `empty`. */
  destroy(): void {
    for (const connection of this.#open.keys()) connection.destroy();
    this.#onEmpty();
  }
}
