// Those who write down what becomes of exchanges, and how others take their places at a reload: the access log, the export of spans.
import type { Config } from '../config/config.ts';
import type { SpanExportServices } from '../observe/tracing/span-export.ts';
import { AccessLogging } from './access-logging.ts';
import { SpanExporting } from './span-exporting.ts';

/** Watchers that are ready and do not watch yet. */
export interface WatcherChange {
  commit(): void;
  abandon(): void;
}

export class Watchers {
  readonly #accessLogging: AccessLogging;
  readonly #spans: SpanExporting;

  constructor(services: SpanExportServices) {
    this.#accessLogging = new AccessLogging(services);
    this.#spans = new SpanExporting(services);
  }

  /** Rejects with PerantaraError `access_log_open` or `tracing_unavailable`; nothing has changed then. */
  async prepare({ accessLog, tracing }: Config): Promise<WatcherChange> {
    const spans = await this.#spans.prepare(tracing);
    try {
      const log = this.#accessLogging.prepare(accessLog);
      const both = [spans, log];
      return {
        commit: () => both.forEach((change) => void change.commit()),
        abandon: () => both.forEach((change) => void change.abandon()),
      };
    } catch (error) {
      spans.abandon();
      throw error;
    }
  }

  /** Goes on in new files: the old ones have been moved away. */
  reopen(): void {
    this.#accessLogging.reopen();
  }

  /** Resolves when all is written and sent, or cannot be. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#accessLogging.close(), this.#spans.close()]);
  }
}
