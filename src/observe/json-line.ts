// One exchange as one line of JSON, with the fields that are wanted, in their order. What does not apply is left out. Hot where
// there is an access log: what is the same from line to line is made once.
import type { ExchangeRecord } from '../http/exchange-record.ts';
import type { HeaderList } from '../http/header-list.ts';
import { jsonText } from './log-text.ts';
import type { Redaction } from './redaction.ts';

/** The value of a field as JSON, or null. `now`: when the exchange was over, in milliseconds since the epoch. */
type Write = (record: ExchangeRecord, now: number) => string | null;
type Line = (record: ExchangeRecord, now: number) => string;

/** Field → what writes its values. docs/configuration.md says what each means. */
const WRITERS = {
  time: () => isoTime(),
  id: () => text(({ id }) => id),
  client: () => repeated(({ client }) => client.address),
  port: () => (record) => String(record.client.port),
  site: () => repeated(({ site }) => site),
  route: () => repeated(({ route }) => route),
  method: () => repeated(({ method }) => method),
  host: () => repeated(({ host }) => host),
  target: (redaction) => text(({ target }) => redaction.url(target)),
  version: () => repeated(({ version }) => version),
  status: () => (record) => String(record.status),
  outcome: () => repeated(({ outcome }) => outcome),
  reason: () => repeated(({ error }) => (error === null ? null : error.code)),
  error: () => repeated(({ error }) => (error === null ? null : error.message)),
  requestBytes: () => (record) => String(record.requestBytes),
  responseBytes: () => (record) => String(record.responseBytes),
  durationMs: () => (record) => milliseconds(record.endedAtMs - record.beganAtMs),
  headMs: () => (record) => (record.respondedAtMs === 0 ? null : milliseconds(record.respondedAtMs - record.beganAtMs)),
  upstream: () => repeated(({ upstream }) => upstream),
  attempts: () => (record) => (record.attempts === 0 ? null : String(record.attempts)),
  servername: () => repeated(({ client }) => client.servername),
  tls: () => repeated(({ client }) => (client.tls === null ? null : client.tls.version)),
  cipher: () => repeated(({ client }) => (client.tls === null ? null : client.tls.cipher)),
  resumed: () => (record) => (record.client.tls === null ? null : String(record.client.tls.resumed)),
  grpcStatus: () =>
    text(
      ({ trailers, responseHeaders }) => trailers?.get('grpc-status') ?? responseHeaders?.get('grpc-status') ?? null,
    ),
  traceId: () => text(({ trace }) => trace?.traceId ?? null),
} as const satisfies Readonly<Record<string, (redaction: Redaction) => Write>>;

export type AccessField = keyof typeof WRITERS;

export interface JsonLineOptions {
  readonly fields: readonly AccessField[];
  /** Names of header fields, in lower case. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

/** Makes the lines, each with its line end. */
export function jsonLines(options: JsonLineOptions, redaction: Redaction): Line {
  const { fields, requestHeaders, responseHeaders } = options;
  const keys = fields.map((field) => `"${field}":`);
  const writes: Write[] = fields.map((field) => WRITERS[field](redaction));
  if (requestHeaders.length > 0) {
    keys.push('"requestHeaders":');
    writes.push(headers(requestHeaders, ({ headers: list }) => list, redaction));
  }
  if (responseHeaders.length > 0) {
    keys.push('"responseHeaders":');
    writes.push(headers(responseHeaders, ({ responseHeaders: list }) => list, redaction));
  }
  return (record, now) => {
    let line = '{';
    for (let i = 0; i < writes.length; i++) {
      const value = writes[i]!(record, now);
      if (value !== null) line += line === '{' ? keys[i]! + value : `,${keys[i]}${value}`;
    }
    return `${line}}\n`;
  };
}

function text(of: (record: ExchangeRecord) => string | null): Write {
  return (record) => {
    const value = of(record);
    return value === null || value === '' ? null : jsonText(value);
  };
}

/** As `text`, of what is mostly what it was in the line before. */
function repeated(of: (record: ExchangeRecord) => string | null): Write {
  let last: string | null = null;
  let written: string | null = null;
  return (record) => {
    const value = of(record);
    if (value === last) return written;
    last = value;
    written = value === null || value === '' ? null : jsonText(value);
    return written;
  };
}

function headers(
  names: readonly string[],
  of: (record: ExchangeRecord) => HeaderList | null,
  redaction: Redaction,
): Write {
  const fields = names.map((name) => ({
    name,
    key: `${jsonText(name)}:`,
    show: redaction.field(name),
    last: '',
    written: '',
  }));
  return (record) => {
    const list = of(record);
    if (list === null) return null;
    let shown = '{';
    for (const field of fields) {
      const value = list.getJoined(field.name);
      if (value === null) continue;
      if (value !== field.last) {
        field.last = value;
        field.written = field.key + jsonText(field.show(value));
      } else if (field.written === '') field.written = `${field.key}""`;
      shown += shown === '{' ? field.written : `,${field.written}`;
    }
    return shown === '{' ? null : `${shown}}`;
  };
}

function isoTime(): Write {
  let second = -1;
  let upToSecond = '';
  return (_record, now) => {
    const ms = now % 1_000;
    if (now - ms !== second) {
      second = now - ms;
      upToSecond = `"${new Date(second).toISOString().slice(0, 20)}`;
    }
    return `${upToSecond}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`;
  };
}

/** To the microsecond. */
function milliseconds(ms: number): string {
  const us = Math.round(ms * 1_000);
  const rest = us % 1_000;
  return `${(us - rest) / 1_000}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`;
}
