// What is known of one exchange when it is over, for whoever watches: the access log, metrics. The codecs fill it in, handlers
// add what they decided, and its feed tells it on, once. One object per exchange while somebody listens, none otherwise.
import { monotonicMs } from '../core/clock.ts';
import type { PerantaraError } from '../core/errors.ts';
import { CLIENT_GONE, SHUTTING_DOWN } from './downstream-fault.ts';
import type { Client } from './exchange.ts';
import type { ExchangeFeed, ExchangeListener } from './exchange-feed.ts';
import type { HeaderList } from './header-list.ts';
import type { RequestHead } from './message.ts';
import type { TraceContext } from './trace-context.ts';

/**
 * How it went:
 * - `complete`: the response, whatever its status, was given to the connection to its end; of a tunnel, both sides said theirs.
 * - `refused`: Perantara turned the request away: malformed, too large, too slow, no such host or route. `status` 0: by
 *   RST_STREAM, without a response.
 * - `upstream_failed`: no target answered; the client got an error page (or a gRPC status) in place of a response.
 * - `failed`: as before, for a fault of Perantara's own.
 * - `client_gone`: the client left, or stopped to take its response, before that was complete.
 * - `cut`: the response had begun and was broken off so that the client can tell; or the process had to end first.
 */
export type Outcome = 'complete' | 'refused' | 'upstream_failed' | 'failed' | 'client_gone' | 'cut';

export class ExchangeRecord {
  readonly client: Client;
  /** As received; '' when there was no head that could be read. */
  readonly method: string;
  /** As received, not normalised; ''. */
  readonly target: string;
  readonly version: RequestHead['version'];
  /** Normalised, from the request; null when it was not understood. Anybody can send any: no label for metrics. */
  readonly host: string | null;
  /** Of the request: as received until a handler forwards it, then as forwarded. */
  readonly headers: HeaderList | null;
  /** Monotonic, when the head of the request was whole. */
  readonly beganAtMs = monotonicMs();
  /** Monotonic, when the head of the response was given; 0: it never was. */
  respondedAtMs = 0;
  /** Monotonic; 0 until it is over. */
  endedAtMs = 0;
  /** On error pages and in the log, if anybody asked for it. */
  id: string | null = null;
  /** The key of the site in the configuration (`onDemand` for hosts that are not in it); null: no site. */
  site: string | null = null;
  /** The path pattern of the route in the configuration, or null. */
  route: string | null = null;
  /** Where it is counted: what belongs to its site and route, or null. */
  tally: ExchangeListener | null = null;
  /** Name of the target tried last, and how often one was tried. */
  upstream: string | null = null;
  attempts = 0;
  /** null: requests are not followed in traces. */
  trace: TraceContext | null = null;
  /** Of the final response, or 101; 0 when none was sent. */
  status = 0;
  responseHeaders: HeaderList | null = null;
  trailers: HeaderList | null = null;
  /** Bytes of content, without framing: received from, and given to, the client. */
  requestBytes = 0;
  responseBytes = 0;
  outcome: Outcome = 'complete';
  /** What went wrong first, or null. */
  error: PerantaraError | null = null;
  readonly #feed: ExchangeFeed;

  constructor(
    feed: ExchangeFeed,
    client: Client,
    method: string,
    target: string,
    version: RequestHead['version'],
    host: string | null,
    headers: HeaderList | null,
  ) {
    this.#feed = feed;
    this.client = client;
    this.method = method;
    this.target = target;
    this.version = version;
    this.host = host;
    this.headers = headers;
  }

  respond(status: number, headers: HeaderList): void {
    this.status = status;
    this.responseHeaders = headers;
    this.respondedAtMs = monotonicMs();
  }

  /** Something went wrong, which may yet be answered. The first counts. */
  note(error: PerantaraError): void {
    this.error ??= error;
  }

  /** To be called once. `error`: why the response is not complete; null: it is. */
  over(error: PerantaraError | null): void {
    if (error !== null) this.note(error);
    this.endedAtMs = monotonicMs();
    this.outcome = outcomeOf(error ?? this.error, error === null, this.status);
    this.#feed.tell(this);
  }
}

function outcomeOf(error: PerantaraError | null, isWhole: boolean, status: number): Outcome {
  if (error === null) return 'complete';
  if (error.code === CLIENT_GONE) return 'client_gone';
  if (error.code === SHUTTING_DOWN || (!isWhole && status !== 0)) return 'cut';
  switch (error.source) {
    case 'downstream':
      return 'refused';
    case 'upstream':
      return 'upstream_failed';
    default:
      return 'failed';
  }
}
