// What one field of an HTTP/2 message is (RFC 9113 sections 8.2 and 8.3), decided by the field alone and remembered with it.
// Strict: what HTTP/1.1 could not carry is malformed here too, so that nothing changes its meaning on the way.
import { FIELD_VALUE_BYTES, isBlank, TOKEN_BYTES } from '../http/grammar.ts';
import type { Field } from './field.ts';

export const UNKNOWN = 0;
/** Makes the message malformed (RFC 9113 section 8.1.1): bad name, bad value, connection-specific, unknown pseudo-field. */
export const MALFORMED = 1;
export const REGULAR = 2;
/** Ends at this connection, as in HTTP/1.1: taken out without a word. */
export const HOP = 3;
export const HOST = 4;
export const COOKIE = 5;
export const CONTENT_LENGTH = 6;
export const TE_TRAILERS = 7;
export const EXPECT = 8;
export const PRIORITY_FIELD = 9;
/** Pseudo-fields from here on. */
export const METHOD = 16;
export const SCHEME = 17;
export const AUTHORITY = 18;
export const PATH = 19;
export const PROTOCOL = 20;
export const STATUS = 21;

const COLON = 58;

const BY_NAME: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':authority', AUTHORITY],
  [':path', PATH],
  [':protocol', PROTOCOL],
  [':status', STATUS],
  // RFC 9113 section 8.2.2
  ['connection', MALFORMED],
  ['proxy-connection', MALFORMED],
  ['keep-alive', MALFORMED],
  ['transfer-encoding', MALFORMED],
  ['upgrade', MALFORMED],
  ['http2-settings', HOP],
  ['proxy-authenticate', HOP],
  ['proxy-authentication-info', HOP],
  ['proxy-authorization', HOP],
  ['host', HOST],
  ['cookie', COOKIE],
  ['content-length', CONTENT_LENGTH],
  ['expect', EXPECT],
  ['priority', PRIORITY_FIELD],
]);

/** The kind of `field`; looks once. */
export function kindOf(field: Field): number {
  if (field.kind === UNKNOWN) field.kind = classify(field.name, field.value);
  return field.kind;
}

function classify(name: string, value: string): number {
  if (!isValue(value)) return MALFORMED;
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  if (name === 'te') return value.toLowerCase() === 'trailers' ? TE_TRAILERS : MALFORMED;
  return isName(name) ? REGULAR : MALFORMED;
}

/** A token without upper case; an unknown pseudo-field is none. */
function isName(name: string): boolean {
  if (name === '') return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code === COLON || TOKEN_BYTES[code] !== 1 || (code >= 65 && code <= 90)) return false;
  }
  return true;
}

function isValue(value: string): boolean {
  const last = value.length - 1;
  if (last < 0) return true;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(last))) return false;
  for (let i = 0; i <= last; i++) if (FIELD_VALUE_BYTES[value.charCodeAt(i)] !== 1) return false;
  return true;
}
