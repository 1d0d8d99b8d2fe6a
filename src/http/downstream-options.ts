// What a downstream connection is given, whichever version of HTTP it speaks.
import type { ConnectionServices } from '../core/connection-services.ts';
import type { PerantaraError } from '../core/errors.ts';
import type { Handler } from './exchange.ts';
import type { ExchangeFeed } from './exchange-feed.ts';
import type { ServerTimeouts } from './grace.ts';

export interface DownstreamOptions extends ConnectionServices {
  readonly scheme: 'http' | 'https';
  readonly handler: Handler;
  /** Told of every exchange when it is over. */
  readonly records: ExchangeFeed;
  readonly timeouts: ServerTimeouts;
  /** A fault of our own while handling a request; the client has been answered with 500 where possible. */
  readonly onFault: (error: PerantaraError) => void;
  /** Called once, when the socket is closed. */
  readonly onClose: () => void;
}
