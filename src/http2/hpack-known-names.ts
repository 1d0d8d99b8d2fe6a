// The field names that the HPACK encoder knows, and how it finds one in a text whatever its case. Names that are spelled as
// here or in lower case are found at once.
import { FieldName } from './hpack-field-name.ts';
import { STATIC_FIELDS } from './hpack-static-table.ts';

/** Never to be in any table on the way (RFC 7541 section 7.1.3). */
const SENSITIVE = 'Authorization Cookie Proxy-Authorization Set-Cookie';

/** Values that hardly repeat on a connection. The first one is put into the table all the same: it does come again when one
 * resource is asked for many times, and brings a name along that the static table may not have. */
const UNIQUE =
  ':path Age CF-Ray Content-Digest Content-Length Content-Location Content-Range ETag grpc-message grpc-timeout If-Match ' +
  'If-Modified-Since If-None-Match If-Range If-Unmodified-Since Last-Modified Location Range Retry-After Sec-WebSocket-Key ' +
  'Server-Timing traceparent tracestate X-Amz-Cf-Id X-Amz-Id-2 X-Amz-Request-Id X-Amzn-Trace-Id X-Correlation-Id ' +
  'X-RateLimit-Remaining X-RateLimit-Reset X-Request-Id X-Response-Time X-Runtime';

/** Values that may repeat, as those of all other names may; they are here to be found quickly. */
const COMMON =
  ':authority :method :protocol :scheme :status Accept Accept-Encoding Accept-Language Accept-Ranges ' +
  'Access-Control-Allow-Credentials Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin ' +
  'Access-Control-Expose-Headers Access-Control-Max-Age Access-Control-Request-Headers Access-Control-Request-Method ' +
  'Allow Alt-Svc Cache-Control CF-Cache-Status Content-Disposition Content-Encoding Content-Language ' +
  'Content-Security-Policy Content-Security-Policy-Report-Only Content-Type Cross-Origin-Embedder-Policy ' +
  'Cross-Origin-Opener-Policy Cross-Origin-Resource-Policy Date DNT Expires Forwarded grpc-accept-encoding grpc-encoding ' +
  'grpc-status Link NEL Origin Origin-Agent-Cluster Permissions-Policy Pragma Priority Referer Referrer-Policy Report-To ' +
  'Reporting-Endpoints Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site ' +
  'Sec-Fetch-User Sec-GPC Server Strict-Transport-Security TE Timing-Allow-Origin Upgrade-Insecure-Requests User-Agent Vary ' +
  'Via WWW-Authenticate X-Cache X-Cache-Hits X-Content-Type-Options X-DNS-Prefetch-Control X-Download-Options ' +
  'X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Frame-Options X-Permitted-Cross-Domain-Policies X-Powered-By ' +
  'X-RateLimit-Limit X-Real-IP X-Requested-With X-Robots-Tag X-Served-By X-UA-Compatible X-XSS-Protection';

const BY_LOWER: ReadonlyMap<string, FieldName> = (() => {
  const names = new Map<string, FieldName>();
  const add = (list: string, tries?: number, isSensitive?: boolean): void => {
    for (const usual of list.split(' ')) {
      const index = STATIC_FIELDS.findIndex(({ name }) => name === usual.toLowerCase());
      const fields = STATIC_FIELDS.filter(({ name, value }) => name === usual.toLowerCase() && value !== '');
      const inStatic = { index: Math.max(0, index), fields: fields.length === 0 ? null : fields };
      names.set(usual.toLowerCase(), new FieldName(usual, names.size, inStatic, tries, isSensitive));
    }
  };
  add(SENSITIVE, 0, true);
  add(UNIQUE, 1);
  add(COMMON);
  for (const { name } of STATIC_FIELDS) if (!names.has(name)) add(name);
  return names;
})();

export const KNOWN_NAMES: number = BY_LOWER.size;

/** By hash; those with one hash in a row. */
const SLOTS: readonly (readonly FieldName[])[] = (() => {
  const slots: FieldName[][] = Array.from({ length: 1024 }, () => []);
  for (const name of BY_LOWER.values()) slots[hash(name.lower, 0, name.lower.length)]!.push(name);
  return slots;
})();

/** The name in lower case, or null when it is none of these. */
export function knownName(lower: string): FieldName | null {
  return BY_LOWER.get(lower) ?? null;
}

/** The name that is text[start, end) as it is spelled here or in lower case, or null. */
export function spelledName(text: string, start: number, end: number): FieldName | null {
  const row = SLOTS[hash(text, start, end)]!;
  if (row.length === 0) return null;
  const name = text.slice(start, end);
  for (let i = 0; i < row.length; i++) if (row[i]!.usual === name || row[i]!.lower === name) return row[i]!;
  return null;
}

/** Of its length, first and last character, whatever their case. */
function hash(text: string, start: number, end: number): number {
  const length = end - start;
  return (length * 41 + (text.charCodeAt(start) | 0x20) * 7 + (text.charCodeAt(end - 1) | 0x20) * 97) & 1023;
}
