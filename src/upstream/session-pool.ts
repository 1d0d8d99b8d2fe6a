// The HTTP/2 connections to one target: as few as will do. The fullest that takes more is given the next request, so that the
// others run empty and go; another is opened only when all are full.
import type { SocketOpener } from '../core/upstream-socket.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import { ClientSession, type SessionOwner } from '../http2/client-session.ts';
import { UNTOLD_STREAMS } from '../http2/limits.ts';
import type { PoolOptions } from './connection-pool.ts';

export class SessionPool implements SessionOwner {
  readonly #scheme: 'http' | 'https';
  readonly #options: PoolOptions;
  readonly #sessions: ClientSession[] = [];
  #limit = UNTOLD_STREAMS;
  #closed = false;

  constructor(scheme: 'http' | 'https', options: PoolOptions) {
    this.#scheme = scheme;
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.length;
  }

  /** Streams that a new connection is given before it has said how many it takes: as many as the last one has said. */
  get limit(): number {
    return this.#limit;
  }

  take(): RequestCarrier | null {
    let best: ClientSession | null = null;
    for (const session of this.#sessions)
      if (this.#takesMore(session) && (best === null || session.streams > best.streams)) best = session;
    return best === null ? null : best.openStream();
  }

  open(opener: SocketOpener): RequestCarrier {
    return this.add(opener).openStream();
  }

  /** On a connection that is only just being made: many whose connection failed together come back on one. */
  fresh(opener: SocketOpener): RequestCarrier {
    const young = this.#sessions.find((session) => !session.connected && this.#takesMore(session));
    return (young ?? this.add(opener)).openStream();
  }

  add(opener: SocketOpener): ClientSession {
    const { timeouts, sweep, turn, buffers } = this.#options;
    const session = new ClientSession(opener, this, { scheme: this.#scheme, timeouts, sweep, turn, buffers });
    this.#sessions.push(session);
    return session;
  }

  /** Nobody waits here for room: who found none has opened another connection. */
  onCapacity(session: ClientSession): void {
    // One that takes none now is asked with one at a time.
    if (session.greeted) this.#limit = Math.max(1, Math.min(session.limit, UNTOLD_STREAMS));
    if (session.limit === 0 && session.streams === 0) session.close(); // or each request leaves one behind
  }

  onIdle(session: ClientSession): void {
    if (this.#closed || session.limit === 0) session.close();
    else session.deadlineAt = this.#options.sweep.after(this.#options.idleMs);
  }

  onClosed(session: ClientSession): void {
    const at = this.#sessions.indexOf(session);
    if (at !== -1) this.#sessions.splice(at, 1);
  }

  /** Says GOAWAY on all; they go when their streams have ended. */
  closeIdle(): void {
    this.#closed = true;
    for (const session of [...this.#sessions]) session.close();
  }

  destroy(): void {
    this.#closed = true;
    for (const session of [...this.#sessions]) session.destroy();
  }

  #takesMore(session: ClientSession): boolean {
    return session.capacity > 0 && (session.greeted || session.streams < this.#limit);
  }
}
