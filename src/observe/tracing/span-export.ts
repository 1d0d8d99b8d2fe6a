// Sends a span of each exchange that is recorded to a collector. A collector that is slow or away costs spans, which the log says
// now and then, and never a request.
import { type Clock, monotonicMs } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { ExchangeFeed, ExchangeListener } from '../../http/exchange-feed.ts';
import type { ExchangeRecord } from '../../http/exchange-record.ts';
import { spanOf } from './exchange-span.ts';
import { type OtlpSink, openOtlp } from './otlp.ts';

export interface SpanExportOptions {
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly secret: string }[];
  readonly serviceName: string;
}

export interface SpanExportServices {
  readonly clock: Clock;
  readonly log: Logger;
  readonly records: ExchangeFeed;
}

const QUIET_MS = 60_000;
/** At the end; a collector that does not answer holds up no shutdown. */
const CLOSE_MS = 3_000;

export class SpanExport implements ExchangeListener {
  readonly #options: SpanExportOptions;
  readonly #services: SpanExportServices;
  #sink: OtlpSink | null = null;
  /** Since the log said that all is well. */
  #lost = 0;
  /** The log has said that spans are lost, and not that they are taken again. */
  #isSaid = false;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SpanExportOptions, services: SpanExportServices) {
    this.#options = options;
    this.#services = services;
  }

  /** Rejects with PerantaraError `tracing_unavailable`. */
  async open(): Promise<void> {
    const { url, headers, serviceName } = this.#options;
    const fields = Object.fromEntries(headers.map(({ name, secret }) => [name, secret]));
    const resource = { 'service.name': serviceName, 'service.instance.id': String(process.pid) };
    this.#sink = await openOtlp({ url, headers: fields, resource }, this.#onBatch);
  }

  /** Of every exchange that ends from now on it may send a span. */
  listen(): void {
    this.#services.records.add(this);
  }

  onExchange(record: ExchangeRecord): void {
    const { trace, beganAtMs, endedAtMs } = record;
    if (trace === null || !trace.sampled || trace.spanId === trace.parentId) return;
    const { traceId, spanId, parentId } = trace;
    const offsetMs = this.#services.clock.now() - monotonicMs();
    const times = { startMs: beganAtMs + offsetMs, endMs: endedAtMs + offsetMs };
    this.#sink?.take({ traceId, spanId, parentId, ...times, ...spanOf(record) });
  }

  /** Resolves when what waits has been sent, or cannot be in a few seconds. */
  async close(): Promise<void> {
    this.#services.records.delete(this);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_MS);
    await Promise.race([this.#sink?.close(), late]);
    clearTimeout(timer);
  }

  readonly #onBatch = (lost: number, error: Error | null): void => {
    const { log } = this.#services;
    this.#lost += lost;
    const fields = { collector: originOf(this.#options.url), lost: this.#lost };
    if (error === null) {
      if (!this.#isSaid) return;
      this.#isSaid = false;
      this.#lost = 0;
      log.info(fields, 'spans are taken again');
      return;
    }
    const now = monotonicMs();
    if (now - this.#saidAtMs < QUIET_MS) return;
    this.#saidAtMs = now;
    this.#isSaid = true;
    log.warn({ ...fields, reason: messageOf(error) }, 'spans are lost: the collector does not take them');
  };
}

/** Path and query may hold a key. */
function originOf(url: string): string {
  return new URL(url).origin;
}
