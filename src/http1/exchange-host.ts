// The connection as its exchange sees it.
import type { PerantaraError } from '../core/errors.ts';
import type { Client } from '../http/exchange.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import type { Output } from './output.ts';

export interface ExchangeHost {
  readonly client: Client;
  readonly output: Output;
  readonly records: ExchangeFeed;
  /** Whether this must be the connection's last exchange. */
  readonly draining: boolean;
  /** Whether bytes of the client wait that belong to no request yet. */
  readonly inputPending: boolean;
  /** `wantsInput` or `output.blocked` may have changed, or bytes moved. */
  onActivity(): void;
  /** The response is complete. */
  onResponseEnd(): void;
  /** Ends the connection so that the client can tell. */
  breakOff(error: PerantaraError): void;
}
