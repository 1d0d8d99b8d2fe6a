// How long the content of a message is (RFC 9112 section 6.3). Strict: Content-Length is one field of digits,
// Transfer-Encoding is one field saying exactly `chunked`, on 1.1, and never are there both.
import { PerantaraError } from '../core/errors.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { Version } from './head-parser.ts';

/** Bytes of content, or how its end is told. */
export type Framing = number | 'chunked' | 'close';

/** Throws PerantaraError 400, or 501 for a transfer coding other than chunked. */
export function requestFraming(version: Version, headers: HeaderList): Framing {
  return declaredFraming(version, headers) ?? 0;
}

/** `bodyless`: the method or status rules content out. Throws PerantaraError. */
export function responseFraming(version: Version, headers: HeaderList, bodyless: boolean): Framing {
  const declared = declaredFraming(version, headers);
  return bodyless ? 0 : (declared ?? 'close');
}

/** The value of a valid Content-Length field, or null without one. Throws PerantaraError. */
export function contentLength(headers: HeaderList): number | null {
  const value = headers.get('content-length');
  if (value === null) return null;
  if (headers.count('content-length') > 1) throw bad('bad_request', 'more than one Content-Length');
  if (!/^\d{1,16}$/.test(value)) throw bad('bad_request', 'Content-Length is not a number');
  const length = Number(value);
  if (!Number.isSafeInteger(length)) throw bad('bad_request', 'Content-Length is too large');
  return length;
}

function declaredFraming(version: Version, headers: HeaderList): Framing | null {
  const coding = headers.get('transfer-encoding');
  const length = contentLength(headers);
  if (coding === null) return length;
  if (length !== null) throw bad('bad_request', 'both Transfer-Encoding and Content-Length');
  if (version === '1.0') throw bad('bad_request', 'Transfer-Encoding in HTTP/1.0');
  if (headers.count('transfer-encoding') > 1) throw bad('bad_request', 'more than one Transfer-Encoding');
  if (coding.toLowerCase() === 'chunked') return 'chunked';
  // A list that repeats or does not end in chunked has no reliable end; a single other coding is merely unknown to us.
  if (/^(gzip|x-gzip|deflate|compress|x-compress|br|zstd)$/i.test(coding)) {
    throw bad('not_implemented', `transfer coding "${coding}"`);
  }
  throw bad('bad_request', 'Transfer-Encoding is not exactly "chunked"');
}

function bad(code: string, what: string): PerantaraError {
  return new PerantaraError(`cannot determine the length of the message: ${what}`, { code, source: 'downstream' });
}
