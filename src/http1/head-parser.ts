// Parses the head of a message (RFC 9112 sections 2–5) in one pass over its bytes. Strict: CRLF line ends only, no
// obs-fold, no space before the colon, no control characters. Hot: it may allocate nothing for a field but three numbers.
import { PerantaraError } from '../core/errors.ts';
import { latin1 } from '../core/latin1.ts';
import { FIELD_VALUE_BYTES, isBlank, TARGET_BYTES, TOKEN_BYTES } from '../http/grammar.ts';
import { HeaderList } from '../http/header-list.ts';
import type { HeadLimits } from './limits.ts';

const CR = 13;
const LF = 10;
const SP = 32;
const HTAB = 9;
const COLON = 58;

const FRAMING_NAME = /^(?:transfer-encoding|content-length)$/i;

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
  const section = parseFields(buf, at + 2, end, from, limits);
  if (section === null) return null;
  return {
    method: isGet(buf, from, methodEnd) ? 'GET' : latin1(buf, from, methodEnd),
    target: latin1(buf, targetStart, targetEnd),
    version,
    headers: section.headers,
    end: section.end,
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
  const reason = isOk(buf, reasonStart, at) ? 'OK' : reasonStart < at ? latin1(buf, reasonStart, at) : '';
  const section = parseFields(buf, at + 2, end, start, limits);
  if (section === null) return null;
  return { status, reason, version, headers: section.headers, end: section.end };
}

export interface FieldSection {
  readonly headers: HeaderList;
  /** Offset of the first byte after the empty line. */
  readonly end: number;
}

/**
 * Parses field lines up to and including the empty line; null when it has not come yet. `headStart` is where the limit on
 * bytes counts from. Throws PerantaraError.
 */
export function parseFields(
  buf: Buffer,
  start: number,
  end: number,
  headStart: number,
  limits: HeadLimits,
): FieldSection | null {
  const limit = Math.min(end, headStart + limits.headBytes);
  const marks: number[] = [];
  let isRegular = true;
  let at = start;
  for (;;) {
    if (at >= limit) break;
    if (buf[at] === CR) {
      if (at + 1 >= limit) break;
      if (buf[at + 1] !== LF) throw malformed('line end');
      const text = latin1(buf, start, at);
      return { headers: isRegular ? HeaderList.written(text, marks) : rewritten(text, marks), end: at + 2 };
    }
    const nameStart = at;
    while (at < limit && TOKEN_BYTES[buf[at]!] === 1) at++;
    if (at >= limit) break;
    if (buf[at] !== COLON || at === nameStart) throw malformed('field name');
    const nameEnd = at++;
    while (at < limit && FIELD_VALUE_BYTES[buf[at]!] === 1) at++;
    if (at >= limit) break;
    if (buf[at] !== CR) throw malformed('field value');
    if (at + 1 >= limit) break;
    if (buf[at + 1] !== LF) throw malformed('line end');
    if (marks.length === limits.fields * 3) throw refused('head_too_large', `more than ${limits.fields} fields`);
    marks.push(nameStart - start, nameEnd - start, at - start);
    if (!isWrittenAsUsual(buf, nameEnd, at)) isRegular = false;
    at += 2;
  }
  if (end - headStart >= limits.headBytes) throw refused('head_too_large', `head is over ${limits.headBytes} bytes`);
  return null;
}

/** Whether the line, its colon at `colon`, has one space before its value and none behind: `Name: value`. */
function isWrittenAsUsual(buf: Buffer, colon: number, lineEnd: number): boolean {
  if (buf[colon + 1] !== SP) return false;
  if (lineEnd === colon + 2) return true;
  const first = buf[colon + 2];
  const last = buf[lineEnd - 1];
  return first !== SP && first !== HTAB && last !== SP && last !== HTAB;
}

/**
 * The fields with the whitespace around their values taken off (RFC 9112 section 5.1). A tab beside the value of a framing
 * field is valid, but others do not see the field then (`chunked\t` lasts until close for llhttp 9): refused.
 */
function rewritten(text: string, marks: readonly number[]): HeaderList {
  const headers = new HeaderList();
  for (let i = 0; i < marks.length; i += 3) {
    const [nameStart, nameEnd, lineEnd] = [marks[i]!, marks[i + 1]!, marks[i + 2]!];
    let from = nameEnd + 1;
    let to = lineEnd;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    while (from < to && isBlank(text.charCodeAt(to - 1))) to--;
    const name = text.slice(nameStart, nameEnd);
    if (FRAMING_NAME.test(name) && (text.slice(nameEnd, from) + text.slice(to, lineEnd)).includes('\t')) {
      throw malformed('framing field');
    }
    headers.append(name, text.slice(from, to));
  }
  return headers;
}

function isGet(buf: Buffer, start: number, end: number): boolean {
  return end - start === 3 && buf[start] === 71 && buf[start + 1] === 69 && buf[start + 2] === 84;
}

function isOk(buf: Buffer, start: number, end: number): boolean {
  return end - start === 2 && buf[start] === 79 && buf[start + 1] === 75;
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
