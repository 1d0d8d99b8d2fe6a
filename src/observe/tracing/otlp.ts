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

/** `onResult`: how many spans were sent, or lost and why. Rejects with PerantaraError `tracing_unavailable`. */
export async function openOtlp(
  { url, headers, resource: attributes }: OtlpOptions,
  onResult: (spans: number, error: Error | null) => void,
): Promise<OtlpSink> {
  const [api, sdk, otlp, resources] = await loadPackages();
  const exporter = new otlp.OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: TIMEOUT_MS });
  const processor = new sdk.BatchSpanProcessor({ ...QUEUE, exporter: told(exporter, onResult) });
  const resource = resources.defaultResource().merge(resources.resourceFromAttributes(attributes));
  const SAMPLED = api.TraceFlags.SAMPLED;
  const scope = { name: 'perantara' };
  return {
    take: ({ name, traceId, spanId, parentId, startMs, endMs, attributes: own, isError }) => {
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

/** The exporter, which tells of each batch how that went, and to the processor that it went well: it would only complain. */
function told(exporter: SpanExporter, onResult: (spans: number, error: Error | null) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, ({ code, error }) => {
        onResult(spans.length, code === 0 ? null : (error ?? new Error('no reason was given')));
        done({ code: 0 });
      }),
    shutdown: () => exporter.shutdown(),
  };
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
