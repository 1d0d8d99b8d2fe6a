// What one hostile input led to, on both sides of a proxy.
import type { ReceivedMessage } from '../support/raw-message.ts';
import type { Route } from './hostile-case.ts';

export interface SeenRequest extends ReceivedMessage {
  readonly route: Route;
}

export interface Observation {
  /** Whole answers to what was sent, in order, interim ones included. */
  readonly answers: readonly ReceivedMessage[];
  /** What the client got that is no whole answer. */
  readonly stray: string;
  /** kept: a further request on the connection got its own answer. open: neither that nor closed, within patience. */
  readonly end: 'kept' | 'closed' | 'open';
  readonly requests: readonly SeenRequest[];
  /** What origins got that is no whole request. */
  readonly leftover: string;
  /** What became of the upstream connection of the last request; null without one. */
  readonly upstream: 'kept' | 'dropped' | 'open' | null;
  /** Whether a normal request on a new connection got its own answer. */
  readonly alive: boolean;
  /** What that request got, when it did not. */
  readonly aliveGot: string;
  /** Whether the proxy's process has ended. */
  readonly died: boolean;
}

/** `METHOD target`, with `guarded: ` before it for the guarded origin. */
export function lineOf(request: SeenRequest): string {
  const line = request.startLine.replace(/ HTTP\/1\.\d$/, '');
  return request.route === 'guarded' ? `guarded: ${line}` : line;
}

/** The request target as the origin got it. */
export function targetOf(request: SeenRequest): string {
  return request.startLine.split(' ').slice(1, -1).join(' ');
}
