// The words of the access log's configuration: where it goes, how much of it, what is in it.
import { suggest } from '../core/suggest.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

export const LOG_PLACE_FORMS = 'the path of a file, stdout or stderr';
export const SHARE_FORMS = 'on, off, or 1/N such as 1/100';
export const ACCESS_FIELD_FORMS = 'the name of a field';

/** docs/configuration.md says what each means. */
export const ACCESS_FIELDS = [
  ...(['time', 'id', 'client', 'port', 'site', 'route', 'method', 'host', 'target', 'version', 'status'] as const),
  ...(['outcome', 'reason', 'error', 'requestBytes', 'responseBytes', 'durationMs', 'headMs'] as const),
  ...(['upstream', 'attempts', 'servername', 'tls', 'cipher', 'resumed', 'grpcStatus', 'traceId'] as const),
] as const;
export type AccessField = (typeof ACCESS_FIELDS)[number];

/** `path` as written. */
export type LogPlace = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' | 'stderr' };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function parseLogPlace(written: string): Parsed<LogPlace> {
  if (written === 'stdout' || written === 'stderr') return meant({ kind: written });
  return written === ''
    ? mistaken('it is empty', { allowed: LOG_PLACE_FORMS })
    : meant({ kind: 'file', path: written });
}

/** One exchange in so many; 0: none. */
export function parseShare(written: string): Parsed<number> {
  if (written === 'on') return meant(1);
  if (written === 'off') return meant(0);
  const match = /^1\/([1-9]\d{0,8})$/.exec(written);
  if (match !== null) return meant(Number(match[1]));
  return mistaken('it is no share', { allowed: SHARE_FORMS, suggestion: suggest(written, ['on', 'off']) });
}

export function parseAccessField(written: string): Parsed<AccessField> {
  const known = ACCESS_FIELDS.find((field) => field === written);
  if (known !== undefined) return meant(known);
  return mistaken('there is no such field', {
    allowed: ACCESS_FIELDS.join(', '),
    suggestion: suggest(written, ACCESS_FIELDS),
  });
}

/** The name of a header field or of a parameter, in lower case. */
export function parseAnyName(written: string): Parsed<string> {
  return TOKEN.test(written)
    ? meant(written.toLowerCase())
    : mistaken('it is no name', { allowed: 'a name such as User-Agent' });
}
