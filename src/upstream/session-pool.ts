// The HTTP/2 connections to one target: as few as will do. The fullest that takes more is given the next request, so that the
// others run empty and go; another is opened only when all are full.
import type { SocketOpener } from '../core/upstream-socket.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import type { OpenSession, OutgoingSession, SessionOwner } from '../http2/session-owner.ts';
import type { PoolOptions } from './connection-pool.ts';

export class SessionPool implements SessionOwner {
  readonly #openSession: OpenSession;
  readonly #options: PoolOptions;
  readonly #sessions: OutgoingSession[] = [];
  #closed = false;

  constructor(openSession: OpenSession, options: PoolOptions) {
    this.#openSession = openSession;
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.length;
  }

  take(): RequestCarrier | null {
    let best: OutgoingSession | null = null;
    for (const session of this.#sessions)
      if (takesMore(session) && (best === null || session.streams > best.streams)) best = session;
    return best === null ? null : best.openStream();
  }

  open(opener: SocketOpener): RequestCarrier {
    return this.add(opener).openStream();
  }

  /** On a connection that is only just being made: many whose connection failed together come back on one. */
  fresh(opener: SocketOpener): RequestCarrier {
    const young = this.#sessions.find((session) => !session.connected && takesMore(session));
    return (young ?? this.add(opener)).openStream();
  }

  add(opener: SocketOpener): OutgoingSession {
    const session = this.#openSession(opener, this, this.#options);
    this.#sessions.push(session);
    return session;
  }

  /** Nobody waits here for room: who finds none has opened another connection. */
  onCapacity(): void {}

  onIdle(session: OutgoingSession): void {
    if (this.#closed) session.close();
    else session.deadlineAt = this.#options.sweep.after(this.#options.idleMs);
  }

  onClosed(session: OutgoingSession): void {
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
}

function takesMore(session: OutgoingSession): boolean {
  return session.usable && session.capacity > 0;
}
