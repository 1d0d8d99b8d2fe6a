// Parses the head of a message (RFC 9112 sections 2–5) in one pass over its bytes. Strict: CRLF line ends only, no
// obs-fold, no space before the colon, no control characters. It may allocate nothing but the strings and the flat list.
import { PerantaraError } from '../core/errors.ts';
import { latin1 } from '../core/latin1.ts';
import { FIELD_VALUE_BYTES, TARGET_BYTES, TOKEN_BYTES } from '../http/grammar.ts';
import { HeaderList } from '../http/header-list.ts';
import type { HeadLimits } from './limits.ts';

const CR = 13;
const LF = 10;
const SP = 32;
const HTAB = 9;
const COLON = 58;
/** Bytes made into text at once: most heads are whole in them, and little content after a head is. */
const WINDOW_BYTES = 2 * 1024;

export type Version = '1.0' | '1.1';

export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly headers: HeaderList;
  /** Offset of the first byte after the head. */
  readonly end: number;
}

export interface ParsedResponse {
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: HeaderList;
  readonly end: number;
}

/** Parses a request head in buf[start, end). null: not complete yet. Throws PerantaraError with code and blame. */
export function parseRequestHead(buf: Buffer, start: number, end: number, limits: HeadLimits): ParsedRequest | null {
  let from = start;
  if (from < end && buf[from] === CR) {
    if (from + 1 === end) return null;
    if (buf[from + 1] === LF) from += 2; // RFC 9112 section 2.2
  }
  let at = from;
  while (at < end && TOKEN_BYTES[buf[at]!] === 1) at++;
  const methodEnd = at;
  if (at < end && (buf[at] !== SP || at === from))
    throw malformed(at === from && isLineEnd(buf, at, end) ? 'empty line' : 'method');
  at++;
  const targetStart = at;
  while (at < end && TARGET_BYTES[buf[at]!] === 1) at++;
  if (at - from > limits.startLineBytes) throw refused('target_too_long', 'request line is too long');
  const targetEnd = at;
  if (at < end && (buf[at] !== SP || at === targetStart)) throw malformed('request target');
  at++;
  const versionStart = at;
  if (at + 10 > end) {
    checkPartialVersion(buf, at, end);
    return null;
  }
  const version = parseVersion(buf, versionStart);
  at += 8;
  if (buf[at] !== CR || buf[at + 1] !== LF) throw malformed('request line end');
  const flat: string[] = [];
  const headEnd = parseFields(buf, at + 2, end, from, limits, flat);
  if (headEnd === -1) return null;
  return {
    method: isGet(buf, from, methodEnd) ? 'GET' : latin1(buf, from, methodEnd),
    target: latin1(buf, targetStart, targetEnd),
    version,
    headers: new HeaderList(flat),
    end: headEnd,
  };
}

/** Parses a response head in buf[start, end). null: not complete yet. Throws PerantaraError. */
export function parseResponseHead(buf: Buffer, start: number, end: number, limits: HeadLimits): ParsedResponse | null {
  if (end - start < 13) {
    checkPartialVersion(buf, start, Math.min(end, start + 8));
    return null;
  }
  const version = parseVersion(buf, start);
  if (buf[start + 8] !== SP) throw malformed('status line');
  let status = 0;
  for (let i = start + 9; i < start + 12; i++) {
    const digit = buf[i]! - 48;
    if (digit < 0 || digit > 9) throw malformed('status code');
    status = status * 10 + digit;
  }
  if (status < 100 || status > 599) throw malformed('status code');
  let at = start + 12;
  const reasonStart = at + 1;
  if (buf[at] === SP) {
    at++;
    while (at < end && FIELD_VALUE_BYTES[buf[at]!] === 1) at++;
    if (at - start > limits.startLineBytes) throw refused('head_too_large', 'status line is too long');
  }
  if (at + 1 >= end) {
    if (at < end && buf[at] !== CR) throw malformed('status line end');
    return null;
  }
  if (buf[at] !== CR || buf[at + 1] !== LF) throw malformed('status line end');
  const reason = reasonStart < at ? latin1(buf, reasonStart, at) : '';
  const flat: string[] = [];
  const headEnd = parseFields(buf, at + 2, end, start, limits, flat);
  if (headEnd === -1) return null;
  return { status, reason, version, headers: new HeaderList(flat), end: headEnd };
}

/**
 * Parses field lines up to and including the empty line. Appends name, value … to `flat`; returns the offset after the
 * empty line, or -1 when it has not come yet. `headStart` is where the limit on bytes counts from.
 */
export function parseFields(
  buf: Buffer,
  start: number,
  end: number,
  headStart: number,
  limits: HeadLimits,
  flat: string[],
): number {
  const limit = Math.min(end, headStart + limits.headBytes);
  let textEnd = Math.min(limit, start + WINDOW_BYTES);
  let text = latin1(buf, start, textEnd);
  let at = start;
  for (;;) {
    if (at >= limit) break;
    if (buf[at] === CR) {
      if (at + 1 >= limit) break;
      if (buf[at + 1] !== LF) throw malformed('line end');
      return at + 2;
    }
    const nameStart = at;
    while (at < limit && TOKEN_BYTES[buf[at]!] === 1) at++;
    if (at >= limit) break;
    if (buf[at] !== COLON || at === nameStart) throw malformed('field name');
    const nameEnd = at++;
    while (at < limit && (buf[at] === SP || buf[at] === HTAB)) at++;
    const valueStart = at;
    while (at < limit && FIELD_VALUE_BYTES[buf[at]!] === 1) at++;
    if (at >= limit) break;
    if (buf[at] !== CR) throw malformed('field value');
    if (at + 1 >= limit) break;
    if (buf[at + 1] !== LF) throw malformed('line end');
    let valueEnd = at;
    while (valueEnd > valueStart && (buf[valueEnd - 1] === SP || buf[valueEnd - 1] === HTAB)) valueEnd--;
    if (flat.length === limits.fields * 2) throw refused('head_too_large', `more than ${limits.fields} fields`);
    if (at > textEnd) {
      textEnd = limit;
      text = latin1(buf, start, textEnd);
    }
    flat.push(text.slice(nameStart - start, nameEnd - start), text.slice(valueStart - start, valueEnd - start));
    at += 2;
  }
  if (end - headStart >= limits.headBytes) throw refused('head_too_large', `head is over ${limits.headBytes} bytes`);
  return -1;
}

function isGet(buf: Buffer, start: number, end: number): boolean {
  return end - start === 3 && buf[start] === 71 && buf[start + 1] === 69 && buf[start + 2] === 84;
}

function parseVersion(buf: Buffer, at: number): Version {
  if (
    buf[at] === 72 &&
    buf[at + 1] === 84 &&
    buf[at + 2] === 84 &&
    buf[at + 3] === 80 &&
    buf[at + 4] === 47 &&
    buf[at + 5] === 49 &&
    buf[at + 6] === 46
  ) {
    if (buf[at + 7] === 49) return '1.1';
    if (buf[at + 7] === 48) return '1.0';
  }
  const text = latin1(buf, at, at + 8);
  if (/^HTTP\/\d\.\d$/.test(text)) throw refused('unsupported_version', `cannot speak ${text}`);
  throw malformed('protocol version');
}

/** Refuses early what can no longer become `HTTP/x.y` CR LF. */
function checkPartialVersion(buf: Buffer, start: number, end: number): void {
  const text = latin1(buf, start, end);
  if (!/^(H(T(T(P(\/(\d(\.(\d(\r(\n)?)?)?)?)?)?)?)?)?)?$/.test(text)) throw malformed('protocol version');
}

function isLineEnd(buf: Buffer, at: number, end: number): boolean {
  return at < end && (buf[at] === CR || buf[at] === LF);
}

function malformed(what: string): PerantaraError {
  return new PerantaraError(`cannot parse message head: bad ${what}`, { code: 'bad_request', source: 'downstream' });
}

function refused(code: string, what: string): PerantaraError {
  return new PerantaraError(`cannot accept message head: ${what}`, { code, source: 'downstream' });
}
