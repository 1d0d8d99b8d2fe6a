// The export of spans in force, and how another takes its place at a reload: the new one is ready before the old one is let go.
import { isDeepStrictEqual } from 'node:util';
import type { TracingConfig } from '../config/config.ts';
import { SpanExport, type SpanExportServices } from '../observe/tracing/span-export.ts';

/** An export that is ready and not listening yet. */
export interface SpanExportChange {
  commit(): void;
  abandon(): void;
}

const NO_CHANGE: SpanExportChange = { commit: () => {}, abandon: () => {} };

export class SpanExporting {
  readonly #services: SpanExportServices;
  #options: object | null = null;
  #export: SpanExport | null = null;
  /** Of those that send their last spans. */
  #ending: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(services: SpanExportServices) {
    this.#services = services;
  }

  /** Rejects with PerantaraError `tracing_unavailable`; nothing has changed then. */
  async prepare(config: TracingConfig | null): Promise<SpanExportChange> {
    const options =
      config === null || config.export === null ? null : { ...config.export, serviceName: config.serviceName };
    if (isDeepStrictEqual(options, this.#options)) return NO_CHANGE;
    const next = options === null ? null : new SpanExport(options, this.#services);
    await next?.open();
    return {
      commit: () => {
        const former = this.#export;
        this.#options = options;
        this.#export = next;
        if (!this.#isClosed) next?.listen();
        this.#end(former);
      },
      abandon: () => this.#end(next),
    };
  }

  /** For good. Resolves when all spans are sent, or cannot be. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end(this.#export);
    this.#export = null;
    await this.#ending;
  }

  #end(former: SpanExport | null): void {
    if (former !== null) this.#ending = Promise.all([this.#ending, former.close()]);
  }
}
