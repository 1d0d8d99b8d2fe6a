// What is counted of the exchanges of one route. Hot: told of every exchange, it adds to a few numbers that lie together, and
// looks nothing up.
import type { ExchangeListener } from '../../http/exchange-feed.ts';
import type { ExchangeRecord, Outcome } from '../../http/exchange-record.ts';
import { observe, SIZES, TIMES } from './buckets.ts';
import type { FigureRow } from './figure-table.ts';

/** As the label `outcome` has them; their order is that in a row. */
export const OUTCOMES: readonly Outcome[] = ['complete', 'refused', 'upstream_failed', 'failed', 'client_gone', 'cut'];
/** As the label `status` has them; `none`: no response. By first digit. */
export const STATUS_CLASSES: readonly string[] = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** Where in a row what begins. First the requests: by class of status, then by outcome. */
export const DURATIONS_AT = STATUS_CLASSES.length * OUTCOMES.length;
export const HEADS_AT = DURATIONS_AT + TIMES.width;
export const REQUEST_SIZES_AT = HEADS_AT + TIMES.width;
export const RESPONSE_SIZES_AT = REQUEST_SIZES_AT + SIZES.width;
const WIDTH = RESPONSE_SIZES_AT + SIZES.width;

const SWITCHED = 101;

export class RouteTally implements ExchangeListener {
  readonly #labels: readonly string[];
  /** Made for the first exchange: most of ten thousand sites may never have one. */
  #row: Float64Array | null = null;

  /** As in the configuration. */
  constructor(site: string, route: string) {
    this.#labels = [site, route];
  }

  /** null: there was no exchange. */
  get row(): FigureRow | null {
    return this.#row === null ? null : { labels: this.#labels, values: this.#row };
  }

  onExchange(record: ExchangeRecord): void {
    this.#row ??= new Float64Array(WIDTH);
    const row = this.#row;
    const { status, outcome, beganAtMs, respondedAtMs, endedAtMs, requestBytes, responseBytes } = record;
    const place = outcome === 'complete' ? 0 : OUTCOMES.indexOf(outcome);
    row[classOf(status) * OUTCOMES.length + place]!++;
    // Tunnels last as long as people look at a page: among durations they would only blur those of requests.
    if (status !== SWITCHED && record.method !== 'CONNECT') observe(row, DURATIONS_AT, TIMES, endedAtMs - beganAtMs);
    if (respondedAtMs !== 0) observe(row, HEADS_AT, TIMES, respondedAtMs - beganAtMs);
    observe(row, REQUEST_SIZES_AT, SIZES, requestBytes);
    observe(row, RESPONSE_SIZES_AT, SIZES, responseBytes);
  }
}

/** Anything that is no status counts as none. */
function classOf(status: number): number {
  const first = (status / 100) | 0;
  return first >= 1 && first <= 5 ? first : 0;
}
