// An exchange as a span of OpenTelemetry: its name, times, attributes and status by the semantic conventions for HTTP servers
// (1.23 and later). What may hold secrets is left out: queries, users in URLs, parameters of paths. Pure.
import type { ExchangeRecord } from '../../http/exchange-record.ts';
import { Redaction } from '../redaction.ts';

export interface ExchangeSpan {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Whether the server is to blame; what a client did wrong leaves the status unset. */
  readonly isError: boolean;
}

/** Others are `_OTHER`: anybody can send any. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);
const MAX_TEXT = 1_024;
const REDACTION = new Redaction([]);

export function spanOf(record: ExchangeRecord): ExchangeSpan {
  const { method, target, client, host, route, site, status, version, outcome, error, upstream } = record;
  const isKnown = METHODS.has(method);
  const failed = outcome !== 'complete' || status >= 500;
  const attributes: Record<string, string | number> = {
    'http.request.method': isKnown ? method : '_OTHER',
    'url.scheme': client.servername === null ? 'http' : 'https',
    'url.path': short(pathOf(target)),
    'network.protocol.version': version === '2.0' ? '2' : version,
    'client.address': client.address,
    'perantara.outcome': outcome,
  };
  if (!isKnown && method !== '') attributes['http.request.method_original'] = short(method);
  if (host !== null) attributes['server.address'] = short(host);
  if (route !== null) attributes['http.route'] = route;
  if (site !== null) attributes['perantara.site'] = site;
  if (upstream !== null) attributes['perantara.upstream'] = upstream;
  if (status > 0) attributes['http.response.status_code'] = status;
  if (failed) attributes['error.type'] = error?.code ?? String(status);
  const verb = isKnown ? method : 'HTTP';
  const isError = status >= 500 || outcome === 'upstream_failed' || outcome === 'failed' || outcome === 'cut';
  return { name: route === null ? verb : `${verb} ${route}`, attributes, isError };
}

/** Of a target in origin or absolute form. */
function pathOf(target: string): string {
  const [path] = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  return REDACTION.url(path!);
}

function short(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}
