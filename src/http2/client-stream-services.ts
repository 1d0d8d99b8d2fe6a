// The session as the carriers of its requests see it.
import type { DeadlineSweep } from '../core/deadlines.ts';
import type { ClientTimeouts } from '../http/request-carrier.ts';
import type { ClientStream } from './client-stream.ts';

export interface ClientStreamServices {
  readonly scheme: 'http' | 'https';
  readonly timeouts: ClientTimeouts;
  readonly sweep: DeadlineSweep;
  readonly connected: boolean;
  /** Whether the server's SETTINGS have come. */
  readonly greeted: boolean;
  /** Whether it takes extended CONNECT, as far as it has said. */
  readonly takesTunnels: boolean;
  /** Gives the stream its identifier, whose request is about to be written. How many there were before. */
  open(stream: ClientStream): number;
}
