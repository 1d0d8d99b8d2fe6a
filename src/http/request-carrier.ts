// Carries one request to an upstream and its response back: an HTTP/1.1 connection, or a stream of an HTTP/2 session.
import type { HeaderList } from './header-list.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { ResponseObserver } from './response-observer.ts';

/** In milliseconds; config/config.ts says what each covers. */
export interface ClientTimeouts {
  readonly connectMs: number;
  readonly responseHeadMs: number;
  readonly bodyIdleMs: number;
}

export interface RequestCarrier {
  /** Whether it is up and has room, so that onConnect will not be called. */
  readonly connected: boolean;
  /** Whether it rests on a connection that has carried a request before, which the upstream may have closed unnoticed. */
  readonly reused: boolean;
  /** Whether any part of a response to the current request has arrived. */
  readonly responseStarted: boolean;

  /** Starts the request; content follows by `write` and `end`, at once complete when its length is 0. */
  send(request: OutgoingRequest, observer: ResponseObserver): void;
  /**
   * Takes a chunk: one in the shared buffer (core/buffer-pool) is lent for the call; of any other it may keep what has
   * KEPT_BYTES or more. false: wait for onRequestDrain.
   */
  write(chunk: Buffer): boolean;
  end(trailers: HeaderList | null): void;
  /** Stops and restarts the flow of response content. */
  pause(): void;
  resume(): void;
  /** Gives the request up; the observer hears nothing. */
  destroy(): void;
}
