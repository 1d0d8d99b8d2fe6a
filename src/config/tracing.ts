// The `tracing` section: whether requests are followed in traces, and where spans are sent.
import type { TracingConfig } from './config.ts';
import { DEFAULT_SAMPLE_RATIO, DEFAULT_SERVICE_NAME } from './defaults.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';
import { parseServiceUrl } from './service-url.ts';

export const COLLECTOR_FORMS = 'the URL of a collector such as http://127.0.0.1:4318';
export const RATIO_FORMS = 'a number from 0 to 1';
export const HEADER_VALUE_FORMS = 'the value of a header field';

const TRACES_PATH = '/v1/traces';

/** A URL without a path is that of the collector as a whole. */
export function parseCollector(written: string): Parsed<string> {
  const parsed = parseServiceUrl(written);
  if (!parsed.ok) return { ...parsed, allowed: COLLECTOR_FORMS };
  const url = new URL(parsed.value);
  if (url.port === '4317')
    return mistaken('its port is that of OTLP over gRPC', {
      allowed: 'OTLP over HTTP',
      suggestion: written.replace(':4317', ':4318'),
    });
  if (url.pathname === '/') url.pathname = TRACES_PATH;
  return meant(url.href);
}

export function parseHeaderValue(written: string): Parsed<string> {
  return /^[\x20-\x7e]*$/.test(written)
    ? meant(written.trim())
    : mistaken('it has characters that a header field cannot carry', { allowed: HEADER_VALUE_FORMS });
}

/** null: fields about traces pass like any others. */
export function readTracing(raw: RawConfig['tracing']): TracingConfig | null {
  if (raw === undefined) return null;
  const { endpoint, headers = {}, sampleRatio = DEFAULT_SAMPLE_RATIO, serviceName = DEFAULT_SERVICE_NAME } = raw;
  return {
    export:
      endpoint === undefined
        ? null
        : { url: endpoint, headers: Object.entries(headers).map(([name, secret]) => ({ name, secret })) },
    sampleRatio,
    serviceName,
  };
}
