// How far a connection to an upstream has come, and what the upstream has said against it: by that its requests are told why
// it fails them.
import type { PerantaraError } from '../core/errors.ts';
import { socketFailure } from '../core/socket-failure.ts';
import { blameUpstream, closedEarly, unexpected, upstreamFault } from '../http/upstream-fault.ts';
import { ConnectionFault, ERROR_CODES, errorName, StreamFault } from './fault.ts';

export class ClientProgress {
  connected: boolean;
  /** ` after GOAWAY …`, when the upstream has said what is wrong; else nothing. */
  afterGoaway = '';

  constructor(connected: boolean) {
    this.connected = connected;
  }

  onGoaway(errorCode: number): void {
    if (errorCode !== ERROR_CODES.NO_ERROR) this.afterGoaway = ` after GOAWAY ${errorName(errorCode)}`;
  }

  /** It has been closed. */
  closed(): PerantaraError {
    return closedEarly(false, this.afterGoaway);
  }

  /** The socket has failed. */
  broken(cause: Error): PerantaraError {
    const why = socketFailure(cause);
    if (!this.connected) return upstreamFault('connect_failed', `cannot connect: ${why}`, cause);
    return upstreamFault('upstream_closed', `the connection broke: ${why}${this.afterGoaway}`, cause);
  }

  /** It has not come further in its time. */
  late(): PerantaraError {
    if (!this.connected) return upstreamFault('connect_timeout', 'connecting took too long');
    return upstreamFault('response_timeout', 'the upstream does not speak HTTP/2');
  }

  /** What came cannot be read; `greeted`: behind SETTINGS. */
  unreadable(error: Error, greeted: boolean): PerantaraError {
    if (!(error instanceof ConnectionFault || error instanceof StreamFault)) return unexpected(error);
    if (greeted) return blameUpstream(error);
    return upstreamFault('upstream_malformed', 'the upstream does not speak HTTP/2', error);
  }
}
