// The HTTP/1.1 connections to one target. The most recently used idle one goes out first, so that the others can grow old
// and go.
import type { PerantaraError } from '../core/errors.ts';
import type { SocketOpener } from '../core/upstream-socket.ts';
import { upstreamFault } from '../http/upstream-fault.ts';
import { ClientConnection, type ClientConnectionOptions, type ConnectionOwner } from '../http1/client-connection.ts';

export interface PoolOptions extends ClientConnectionOptions {
  /** Idle connections are closed after this long. */
  readonly idleMs: number;
}

export class ConnectionPool implements ConnectionOwner {
  readonly #options: PoolOptions;
  readonly #all = new Set<ClientConnection>();
  /** Oldest first. */
  readonly #idle: ClientConnection[] = [];
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  take(): ClientConnection | null {
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.usable) connection = this.#idle.pop();
    return connection ?? null;
  }

  open(opener: SocketOpener): ClientConnection {
    const connection = new ClientConnection(opener, this, this.#options);
    this.#all.add(connection);
    return connection;
  }

  fresh(opener: SocketOpener): ClientConnection {
    return this.open(opener);
  }

  onIdle(connection: ClientConnection): void {
    if (this.#closed) {
      connection.destroy();
      return;
    }
    const { sweep, idleMs } = this.#options;
    connection.deadlineAt = sweep.after(Math.min(idleMs, connection.announcedIdleMs));
    this.#idle.push(connection);
  }

  onClosed(connection: ClientConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Closes idle connections now and busy ones when they become idle. */
  closeIdle(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  destroy(): void {
    this.#closed = true;
    const error = targetRemoved();
    for (const connection of this.#all) connection.fail(error);
  }
}

export function targetRemoved(): PerantaraError {
  return upstreamFault('target_removed', 'the target is no longer configured');
}
