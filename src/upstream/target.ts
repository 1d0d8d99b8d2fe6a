// One upstream server: its kept-alive connections, and how many exchanges are in flight on it.
import type { TargetAddress } from '../config/config.ts';
import { plainOpener, type SocketOpener } from '../core/upstream-socket.ts';
import { ClientConnection, type ClientConnectionOptions } from '../http1/client-connection.ts';
import { ConnectionPool } from './connection-pool.ts';

export interface TargetOptions extends ClientConnectionOptions {
  /** Idle connections are closed after this long. */
  readonly idleMs: number;
}

export class Target {
  /** `http://127.0.0.1:3000` or `http://unix:/run/app.sock`, for logs. */
  readonly name: string;
  /** Claimed and not yet released. */
  inflight = 0;
  readonly #opener: SocketOpener;
  readonly #options: TargetOptions;
  readonly #pool: ConnectionPool;

  constructor(address: TargetAddress, options: TargetOptions) {
    this.name = targetName(address);
    this.#opener = plainOpener(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    );
    this.#options = options;
    this.#pool = new ConnectionPool(options.idleMs, options.sweep);
  }

  /** Open connections, busy and idle. */
  get connections(): number {
    return this.#pool.size;
  }

  /** An idle connection, or a new one that is still connecting. Counts as in flight until `release`. */
  claim(): ClientConnection {
    this.inflight++;
    return this.#pool.take() ?? this.#open();
  }

  /** A new connection in place of one that failed; already counted by `claim`. */
  claimFresh(): ClientConnection {
    this.inflight++;
    return this.#open();
  }

  release(): void {
    this.inflight--;
  }

  closeIdle(): void {
    this.#pool.closeIdle();
  }

  destroy(): void {
    this.#pool.destroy();
  }

  #open(): ClientConnection {
    const connection = new ClientConnection(this.#opener, this.#pool, this.#options);
    this.#pool.add(connection);
    return connection;
  }
}

export function targetName(address: TargetAddress): string {
  if (address.kind === 'unix') return `http://unix:${address.path}`;
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
