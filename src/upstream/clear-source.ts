// Carriers to a target in the clear, where it is known beforehand what is spoken.
import type { SocketOpener } from '../core/upstream-socket.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import type { CarrierSource } from './carrier-source.ts';

/** ConnectionPool for HTTP/1.1, SessionPool for HTTP/2. */
export interface CarrierPool {
  readonly size: number;
  /** On a connection that is open; null when none takes more. */
  take(): RequestCarrier | null;
  open(opener: SocketOpener): RequestCarrier;
  fresh(opener: SocketOpener): RequestCarrier;
  closeIdle(): void;
  destroy(): void;
}

export class ClearSource implements CarrierSource {
  readonly #opener: SocketOpener;
  readonly #pool: CarrierPool;

  constructor(opener: SocketOpener, pool: CarrierPool) {
    this.#opener = opener;
    this.#pool = pool;
  }

  get size(): number {
    return this.#pool.size;
  }

  claim(): RequestCarrier {
    return this.#pool.take() ?? this.#pool.open(this.#opener);
  }

  claimFresh(): RequestCarrier {
    return this.#pool.fresh(this.#opener);
  }

  closeIdle(): void {
    this.#pool.closeIdle();
  }

  destroy(): void {
    this.#pool.destroy();
  }
}
