// What a client's HTTP/2 connection is to whoever keeps it: how much more it takes, when it rests, when it is gone.
import type { ConnectionServices } from '../core/connection-services.ts';
import type { SocketOpener } from '../core/upstream-socket.ts';
import type { ClientTimeouts, RequestCarrier } from '../http/request-carrier.ts';

export interface ClientSessionOptions extends ConnectionServices {
  readonly timeouts: ClientTimeouts;
}

export interface OutgoingSession {
  readonly connected: boolean;
  /** Requests that it would take more than it has; while connecting and until the peer's SETTINGS have come, up to 100. */
  readonly capacity: number;
  /** Streams open now. */
  readonly streams: number;
  /** Whether it takes new streams at all: not after GOAWAY, nor when it has ended. */
  readonly usable: boolean;
  /** While no stream is open, it closes itself then: core/deadlines. A new stream moves it. */
  deadlineAt: number;
  /** Carries one request. Only while `usable`, with `capacity`. */
  openStream(): RequestCarrier;
  /** Says GOAWAY; gone when its streams are. */
  close(): void;
  destroy(): void;
}

export interface SessionOwner {
  /** It may take more than before: a stream has ended, or the peer allows more. */
  onCapacity(session: OutgoingSession): void;
  /** No stream is open any more. */
  onIdle(session: OutgoingSession): void;
  onClosed(session: OutgoingSession): void;
}

/** Begins a connection. It does not call its owner before this has returned. */
export type OpenSession = (open: SocketOpener, owner: SessionOwner, options: ClientSessionOptions) => OutgoingSession;
