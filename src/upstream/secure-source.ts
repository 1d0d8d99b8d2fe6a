// Carriers to an https:// target, whose handshakes decide what is spoken. What the last one agreed on is expected of the next,
// and no more than that: another may end differently. While nothing is known, and while HTTP/2 is expected, requests wait for
// one handshake together; it carries all of them if it can.
import { monotonicMs } from '../core/clock.ts';
import type { SecurePlace } from '../core/secure-upstream-socket.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import type { TargetFigures } from '../observe/metrics/target-figures.ts';
import type { CarrierSource } from './carrier-source.ts';
import { ConnectionPool, type PoolOptions, targetRemoved } from './connection-pool.ts';
import { Handshake, type HandshakeOptions, type HandshakeOwner, type Protocol } from './handshake.ts';
import { SessionPool } from './session-pool.ts';

const HTTP1_ONLY: readonly Protocol[] = ['http/1.1'];

export class SecureSource implements CarrierSource, HandshakeOwner {
  readonly #place: SecurePlace;
  readonly #offered: readonly Protocol[];
  readonly #options: HandshakeOptions;
  readonly #figures: TargetFigures;
  readonly #connections: ConnectionPool;
  readonly #sessions: SessionPool;
  readonly #handshakes = new Set<Handshake>();
  /** The one that others may join. */
  #shared: Handshake | null = null;
  #expected: Protocol | null;

  /** `offered`: at least one, the preferred first. */
  constructor(place: SecurePlace, offered: readonly Protocol[], options: PoolOptions, figures: TargetFigures) {
    this.#place = place;
    this.#figures = figures;
    this.#offered = offered;
    this.#expected = offered.length === 1 ? offered[0]! : null;
    this.#options = {
      get connectMs() {
        return options.timeouts.connectMs;
      },
      sweep: options.sweep,
    };
    this.#connections = new ConnectionPool(options);
    this.#sessions = new SessionPool('https', options);
  }

  get size(): number {
    return this.#connections.size + this.#sessions.size + this.#handshakes.size;
  }

  claim(upgradeTo: string | null): RequestCarrier {
    if (this.#wantsHttp1(upgradeTo)) return this.#connections.take() ?? this.#begin(HTTP1_ONLY).join();
    if (this.#expected === 'http/1.1') return this.#connections.take() ?? this.#begin(this.#offered).join();
    return this.#sessions.take() ?? this.#join();
  }

  claimFresh(upgradeTo: string | null): RequestCarrier {
    if (this.#wantsHttp1(upgradeTo)) return this.#begin(HTTP1_ONLY).join();
    return this.#expected === 'http/1.1' ? this.#begin(this.#offered).join() : this.#join();
  }

  closeIdle(): void {
    this.#connections.closeIdle();
    this.#sessions.closeIdle();
  }

  destroy(): void {
    for (const handshake of this.#handshakes) handshake.destroy(targetRemoved());
    this.#connections.destroy();
    this.#sessions.destroy();
  }

  onAgreed(handshake: Handshake, protocol: Protocol): void {
    this.onFailed(handshake);
    this.#figures.connected(monotonicMs() - handshake.begunAtMs);
    // One made for an upgrade had no choice.
    if (handshake.offered === this.#offered) this.#expected = protocol;
    if (protocol === 'h2') this.#shareSession(handshake);
    else this.#giveConnection(handshake);
  }

  onFailed(handshake: Handshake): void {
    this.#handshakes.delete(handshake);
    if (this.#shared === handshake) this.#shared = null;
  }

  /** An upgrade belongs to HTTP/1.1; where only HTTP/2 may be spoken, its stream asks as RFC 8441 has it. */
  #wantsHttp1(upgradeTo: string | null): boolean {
    return upgradeTo !== null && this.#offered.includes('http/1.1');
  }

  #begin(offered: readonly Protocol[]): Handshake {
    const handshake = new Handshake(this.#place, offered, this, this.#options);
    this.#handshakes.add(handshake);
    return handshake;
  }

  #join(): RequestCarrier {
    const { limit } = this.#sessions;
    if (this.#shared === null || this.#shared.waiting.size >= limit) this.#shared = this.#begin(this.#offered);
    return this.#shared.join();
  }

  #shareSession({ open, waiting }: Handshake): void {
    const session = this.#sessions.add(open);
    for (const carrier of waiting) carrier.passTo(this.claim(null));
    if (session.streams === 0) this.#sessions.onIdle(session);
  }

  /** It carries one; the others make connections of their own. */
  #giveConnection({ open, waiting }: Handshake): void {
    let connection: RequestCarrier | null = this.#connections.open(open);
    for (const carrier of waiting) {
      carrier.passTo(connection ?? this.claim(null));
      connection = null;
    }
  }
}
