// One upstream server: where its carriers come from, and how many exchanges are in flight on it.
import type { TargetAddress, TargetPlace } from '../config/config.ts';
import { showTarget } from '../config/target.ts';
import { monotonicMs } from '../core/clock.ts';
import type { PerantaraError } from '../core/errors.ts';
import { plainOpener, type SocketOpener } from '../core/upstream-socket.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import { TargetFigures } from '../observe/metrics/target-figures.ts';
import type { CarrierSource } from './carrier-source.ts';
import { ClearSource } from './clear-source.ts';
import { ConnectionPool, type PoolOptions } from './connection-pool.ts';
import type { Protocol } from './handshake.ts';
import { SecureSource } from './secure-source.ts';
import { SessionPool } from './session-pool.ts';
import type { TlsContexts } from './tls-contexts.ts';

export interface TargetOptions extends PoolOptions {
  readonly contexts: TlsContexts;
}

/** Failures with no answer between them; times are monotonic. */
export interface TargetFailure {
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly count: number;
  /** Of the last one, and what it said. */
  readonly code: string;
  readonly message: string;
}

const PROTOCOLS: Readonly<Record<'any' | '1.1' | '2', readonly Protocol[]>> = {
  any: ['h2', 'http/1.1'],
  '1.1': ['http/1.1'],
  '2': ['h2'],
};

export class Target {
  /** `http://127.0.0.1:3000` or `https://unix:/run/app.sock`, for logs. */
  readonly name: string;
  /** Claimed and not yet released. */
  inflight = 0;
  /** By an operator: it gets no new requests; those under way go on. */
  drained = false;
  /** Since it answered last; null: it has not failed since. */
  failure: TargetFailure | null = null;
  readonly figures = new TargetFigures();
  readonly #carriers: CarrierSource;

  constructor(address: TargetAddress, options: TargetOptions) {
    this.name = showTarget(address);
    this.#carriers = carrierSource(address, options, this.figures);
  }

  /** Open connections, busy and idle. */
  get connections(): number {
    return this.#carriers.size;
  }

  get busy(): boolean {
    return this.inflight > 0;
  }

  /**
   * Carries a request that asks for `upgradeTo`: on something idle or with room, or on a new connection that is still
   * connecting. Counts as in flight until `release`.
   */
  claim(upgradeTo: string | null = null): RequestCarrier {
    this.inflight++;
    this.figures.attempts++;
    return this.#carriers.claim(upgradeTo);
  }

  /** On a new connection, in place of one that failed; counts anew. */
  claimFresh(upgradeTo: string | null = null): RequestCarrier {
    this.inflight++;
    this.figures.attempts++;
    return this.#carriers.claimFresh(upgradeTo);
  }

  release(): void {
    this.inflight--;
  }

  /** It began a response: it is there. */
  answered(): void {
    if (this.failure !== null) this.failure = null;
  }

  /** A request came to nothing there. */
  failed({ code, message }: PerantaraError): void {
    const now = monotonicMs();
    const { sinceMs = now, count = 0 } = this.failure ?? {};
    this.failure = { sinceMs, lastMs: now, count: count + 1, code, message };
  }

  closeIdle(): void {
    this.#carriers.closeIdle();
  }

  destroy(): void {
    this.#carriers.destroy();
  }
}

function carrierSource(address: TargetAddress, options: TargetOptions, figures: TargetFigures): CarrierSource {
  const place = placeOf(address);
  switch (address.protocol) {
    case 'http':
      return new ClearSource(timed(plainOpener(place), figures), new ConnectionPool(options));
    case 'h2c':
      return new ClearSource(timed(plainOpener(place), figures), new SessionPool('http', options));
    case 'https': {
      const { tls } = address;
      const { servername, verify } = tls;
      const secure = { address: place, servername, verify, context: options.contexts.for(tls) };
      return new SecureSource(secure, PROTOCOLS[tls.http], options, figures);
    }
  }
}

function timed(open: SocketOpener, figures: TargetFigures): SocketOpener {
  return (onread) => {
    const begunAt = monotonicMs();
    const socket = open(onread);
    socket.once('connect', () => figures.connected(monotonicMs() - begunAt));
    return socket;
  };
}

function placeOf(place: TargetPlace): { path: string } | { host: string; port: number } {
  return place.kind === 'unix' ? { path: place.path } : { host: place.host, port: place.port };
}
