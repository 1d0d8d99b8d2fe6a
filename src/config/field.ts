// Names and values that end up in HTTP header fields (RFC 9110 sections 5.1 and 8.3).
import { meant, mistaken, type Parsed } from './parsed.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A name for `underscoreHeaders`, in lower case. */
export function parseHeaderName(written: string): Parsed<string> {
  if (!TOKEN.test(written)) return mistaken('it is not a field name', { allowed: 'a name such as x_request_id' });
  if (!written.includes('_')) return mistaken('it has no "_", so it is passed on anyway; leave it out');
  return meant(written.toLowerCase());
}

export function parseMediaType(written: string): Parsed<string> {
  const [type, subtype] = written.split(';', 1)[0]!.trim().split('/');
  if (TOKEN.test(type ?? '') && TOKEN.test(subtype ?? '') && /^[\t\u0020-\u007e]+$/.test(written))
    return meant(written.trim());
  return mistaken('it is not a media type', { allowed: 'a type such as text/html; charset=utf-8' });
}
