// One exchange as one line of JSON, with the fields that are wanted, in their order. What does not apply is left out.

import type { ExchangeRecord } from '../http/exchange-record.ts';
import type { HeaderList } from '../http/header-list.ts';
import { jsonText } from './log-text.ts';
import type { Redaction } from './redaction.ts';

/** A record and the time it was over, in milliseconds since the epoch. */
type Write = (record: ExchangeRecord, now: number) => string | null;

const text = (value: string | null): string | null => (value === null || value === '' ? null : jsonText(value));
const rounded = (ms: number): string => String(Math.round(ms * 1_000) / 1_000);

/** Field → its value as JSON, or null. docs/configuration.md says what each means. */
const WRITERS = {
  time: (_record, now) => `"${new Date(now).toISOString()}"`,
  id: ({ id }) => text(id),
  client: ({ client }) => jsonText(client.address),
  port: ({ client }) => String(client.port),
  site: ({ site }) => text(site),
  route: ({ route }) => text(route),
  method: ({ method }) => text(method),
  host: ({ host }) => text(host),
  target: null,
  version: ({ version }) => `"${version}"`,
  status: ({ status }) => String(status),
  outcome: ({ outcome }) => `"${outcome}"`,
  reason: ({ error }) => text(error?.code ?? null),
  error: ({ error }) => text(error?.message ?? null),
  requestBytes: ({ requestBytes }) => String(requestBytes),
  responseBytes: ({ responseBytes }) => String(responseBytes),
  durationMs: ({ beganAtMs, endedAtMs }) => rounded(endedAtMs - beganAtMs),
  headMs: ({ beganAtMs, respondedAtMs }) => (respondedAtMs === 0 ? null : rounded(respondedAtMs - beganAtMs)),
  upstream: ({ upstream }) => text(upstream),
  attempts: ({ attempts }) => (attempts === 0 ? null : String(attempts)),
  servername: ({ client }) => text(client.servername),
  tls: ({ client }) => text(client.tls?.version ?? null),
  cipher: ({ client }) => text(client.tls?.cipher ?? null),
  resumed: ({ client }) => (client.tls === null ? null : String(client.tls.resumed)),
  grpcStatus: ({ trailers, responseHeaders }) =>
    text(trailers?.get('grpc-status') ?? responseHeaders?.get('grpc-status') ?? null),
} as const satisfies Readonly<Record<string, Write | null>>;

export type AccessField = keyof typeof WRITERS;

export interface JsonLineOptions {
  readonly fields: readonly AccessField[];
  /** Names of header fields, in lower case. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

/** Makes the lines, each with its line end. */
export function jsonLines(
  options: JsonLineOptions,
  redaction: Redaction,
): (record: ExchangeRecord, now: number) => string {
  const parts: [key: string, write: Write][] = options.fields.map((field) => [
    `"${field}":`,
    WRITERS[field] ?? (({ target }) => text(redaction.url(target))),
  ]);
  const headers = (names: readonly string[], list: HeaderList | null): string | null => {
    let shown = '';
    for (const name of names) {
      const value = list?.getJoined(name) ?? null;
      if (value === null) continue;
      shown += `${shown === '' ? '{' : ','}${jsonText(name)}:${jsonText(redaction.field(name, value))}`;
    }
    return shown === '' ? null : `${shown}}`;
  };
  const { requestHeaders, responseHeaders } = options;
  if (requestHeaders.length > 0) parts.push(['"requestHeaders":', (record) => headers(requestHeaders, record.headers)]);
  if (responseHeaders.length > 0)
    parts.push(['"responseHeaders":', (record) => headers(responseHeaders, record.responseHeaders)]);
  return (record, now) => {
    let line = '';
    for (const [key, write] of parts) {
      const value = write(record, now);
      if (value !== null) line += `${line === '' ? '{' : ','}${key}${value}`;
    }
    return `${line === '' ? '{' : line}}\n`;
  };
}
