// How long the content of a message is (RFC 9112 section 6.3). Strict: Content-Length is one field of digits,
// Transfer-Encoding is one field saying exactly `chunked`, on 1.1, and never are there both.
import { PerantaraError } from '../core/errors.ts';
import { readDigits } from '../http/grammar.ts';
import type { ConnectionFields } from '../http/hop-by-hop.ts';
import type { Version } from './head-parser.ts';

/** What is read of a head to frame its content. */
export type FramingFields = Pick<
  ConnectionFields,
  'contentLength' | 'contentLengths' | 'transferEncoding' | 'transferEncodings'
>;

/** Bytes of content, or how its end is told. */
export type Framing = number | 'chunked' | 'close';

/** Throws PerantaraError 400, or 501 for a transfer coding other than chunked. */
export function requestFraming(version: Version, fields: FramingFields): Framing {
  return declaredFraming(version, fields) ?? 0;
}

/** `bodyless`: the method or status rules content out. Throws PerantaraError. */
export function responseFraming(version: Version, fields: FramingFields, bodyless: boolean): Framing {
  const declared = declaredFraming(version, fields);
  return bodyless ? 0 : (declared ?? 'close');
}

/** The value of a valid Content-Length field, or null without one. Throws PerantaraError. */
export function contentLength(fields: FramingFields): number | null {
  const value = fields.contentLength;
  if (value === null) return null;
  if (fields.contentLengths > 1) throw bad('bad_request', 'more than one Content-Length');
  const length = readDigits(value);
  if (length === null) throw bad('bad_request', 'Content-Length is not a number');
  if (!Number.isSafeInteger(length)) throw bad('bad_request', 'Content-Length is too large');
  return length;
}

function declaredFraming(version: Version, fields: FramingFields): Framing | null {
  const coding = fields.transferEncoding;
  const length = contentLength(fields);
  if (coding === null) return length;
  if (length !== null) throw bad('bad_request', 'both Transfer-Encoding and Content-Length');
  if (version === '1.0') throw bad('bad_request', 'Transfer-Encoding in HTTP/1.0');
  if (fields.transferEncodings > 1) throw bad('bad_request', 'more than one Transfer-Encoding');
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
