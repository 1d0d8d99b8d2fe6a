// The session as the carriers of its requests see it.
import type { DeadlineSweep } from '../core/deadlines.ts';
import type { ClientTimeouts } from '../http/request-carrier.ts';
import type { Stream } from './stream.ts';

export interface ClientStreamServices {
  readonly scheme: 'http' | 'https';
  readonly timeouts: ClientTimeouts;
  readonly sweep: DeadlineSweep;
  readonly connected: boolean;
  /** Whether it takes extended CONNECT; null: it has not said yet. */
  readonly takesTunnels: boolean | null;
  /** Gives the stream its identifier, whose request is about to be written. How many there were before. */
  open(stream: Stream): number;
}
