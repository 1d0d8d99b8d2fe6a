// The connections to one target. The most recently used idle one goes out first, so that the others can grow old and go.
import type { DeadlineSweep } from '../core/deadlines.ts';
import type { ClientConnection, ConnectionOwner } from '../http1/client-connection.ts';

export class ConnectionPool implements ConnectionOwner {
  readonly #idleMs: number;
  readonly #sweep: DeadlineSweep;
  readonly #all = new Set<ClientConnection>();
  /** Oldest first. */
  readonly #idle: ClientConnection[] = [];
  #closed = false;

  constructor(idleMs: number, sweep: DeadlineSweep) {
    this.#idleMs = idleMs;
    this.#sweep = sweep;
  }

  get size(): number {
    return this.#all.size;
  }

  add(connection: ClientConnection): void {
    this.#all.add(connection);
  }

  take(): ClientConnection | null {
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.usable) connection = this.#idle.pop();
    return connection ?? null;
  }

  onIdle(connection: ClientConnection): void {
    if (this.#closed) {
      connection.destroy();
      return;
    }
    connection.deadlineAt = this.#sweep.after(Math.min(this.#idleMs, connection.announcedIdleMs));
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
    for (const connection of this.#all) connection.destroy();
  }
}
