// OpenTelemetry's own packages, loaded when spans are first to be exported: nobody else pays for them, and they may be missing.
import type { Attributes, HrTime } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { codeOf, PerantaraError } from '../../core/errors.ts';

export interface OtlpOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of whoever made the spans. */
  readonly resource: Attributes;
}

/** One span, in words that need no package. Times in milliseconds since the epoch. */
export interface FinishedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly isError: boolean;
}

export interface OtlpSink {
  /** Returns at once; never throws. What there is no room for is dropped. */
  take(span: FinishedSpan): void;
  /** Sends what waits, and ends. Never rejects. */
  close(): Promise<void>;
}

/** Spans that wait: 2,048 of about a kilobyte. */
const QUEUE = {
  maxQueueSize: 2_048,
  maxExportBatchSize: 512,
  scheduledDelayMillis: 2_000,
  exportTimeoutMillis: 6_000,
};
/** For one batch, repetitions included. */
const TIMEOUT_MS = 5_000;

/** After each batch: how many spans have been lost since the one before, and why; null: none. */
export type OnBatch = (lost: number, error: Error | null) => void;

/** Rejects with PerantaraError `tracing_unavailable`. */
export async function openOtlp(
  { url, headers, resource: attributes }: OtlpOptions,
  onBatch: OnBatch,
): Promise<OtlpSink> {
  const [api, sdk, otlp, resources] = await loadPackages();
  const exporter = new CountedExporter(
    new otlp.OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: TIMEOUT_MS }),
    onBatch,
  );
  const processor = new sdk.BatchSpanProcessor({ ...QUEUE, exporter });
  const resource = resources.defaultResource().merge(resources.resourceFromAttributes(attributes));
  const SAMPLED = api.TraceFlags.SAMPLED;
  const scope = { name: 'perantara' };
  return {
    take: ({ name, traceId, spanId, parentId, startMs, endMs, attributes: own, isError }) => {
      if (!exporter.hasRoom()) return;
      const context = { traceId, spanId, traceFlags: SAMPLED };
      const span: ReadableSpan = {
        name,
        kind: api.SpanKind.SERVER,
        spanContext: () => context,
        ...(parentId === null
          ? {}
          : { parentSpanContext: { traceId, spanId: parentId, traceFlags: SAMPLED, isRemote: true } }),
        startTime: hrTime(startMs),
        endTime: hrTime(endMs),
        duration: hrTime(endMs - startMs),
        status: { code: isError ? api.SpanStatusCode.ERROR : api.SpanStatusCode.UNSET },
        attributes: own,
        ...{ links: [], events: [], ended: true, resource, instrumentationScope: scope },
        ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
      };
      processor.onEnd(span);
    },
    close: () => processor.shutdown().catch(() => {}),
  };
}

/**
 * The exporter, which tells of each batch how that went, and to the processor that it went well: it would only complain. Counts
 * what waits, since the processor drops without a word what it has no room for.
 */
class CountedExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #onBatch: OnBatch;
  #waiting = 0;
  #turnedAway = 0;

  constructor(exporter: SpanExporter, onBatch: OnBatch) {
    this.#exporter = exporter;
    this.#onBatch = onBatch;
  }

  /** Whether the processor may be given one more. */
  hasRoom(): boolean {
    const hasRoom = this.#waiting < QUEUE.maxQueueSize;
    if (hasRoom) this.#waiting++;
    else this.#turnedAway++;
    return hasRoom;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#waiting -= spans.length;
    this.#exporter.export(spans, ({ code, error = new Error('no reason was given') }) => {
      const turnedAway = this.#turnedAway;
      this.#turnedAway = 0;
      if (code !== 0) this.#onBatch(turnedAway + spans.length, error);
      else this.#onBatch(turnedAway, turnedAway === 0 ? null : new Error('they come faster than it takes them'));
      done({ code: 0 });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

async function loadPackages() {
  try {
    return await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  } catch (error) {
    const isMissing = codeOf(error) === 'ERR_MODULE_NOT_FOUND';
    const why = isMissing
      ? 'the packages of OpenTelemetry are not installed; "npm install" brings them'
      : 'the packages of OpenTelemetry do not load';
    throw new PerantaraError(`cannot export spans (tracing.endpoint): ${why}`, {
      code: 'tracing_unavailable',
      source: 'operator',
      cause: error,
    });
  }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
