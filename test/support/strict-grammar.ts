// The grammar of RFC 9112 (and of RFC 9110, RFC 3986 where it refers to them) as regular expressions, read off the ABNF and
// not off the code under test, and the rules of RFC 9112 section 6.3 on top: a slow reader that knows no pieces. Stricter
// than the RFC where the design is: whitespace that only MAY be parsed is not, and doubtful framing has no meaning.
// It knows no limits. Texts are latin1, one character a byte.
import { isIPv4, isIPv6 } from 'node:net';
import { type Reading, ReadMessage } from './reading.ts';

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const VCHAR_OBS = '[!-~\\x80-\\xff]';
const FIELD_VALUE = `(?:${VCHAR_OBS}(?:[ \\t!-~\\x80-\\xff]*${VCHAR_OBS})?)?`;
const FIELD_LINE = `(${TOKEN}):[ \\t]*(${FIELD_VALUE})[ \\t]*\\r\\n`;
const FIELD_LINES = `((?:${TOKEN}:[ \\t]*${FIELD_VALUE}[ \\t]*\\r\\n)*)`;
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t !-~\\x80-\\xff])*"';
const CHUNK_EXT = `(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*`;

const REQUEST_HEAD = new RegExp(`(?:\\r\\n)?(${TOKEN}) ([!-~]+) HTTP/(1\\.[01])\\r\\n${FIELD_LINES}\\r\\n`, 'y');
const RESPONSE_HEAD = new RegExp(
  `HTTP/(1\\.[01]) ([1-5]\\d\\d)(?: ([\\t -~\\x80-\\xff]*))?\\r\\n${FIELD_LINES}\\r\\n`,
  'y',
);
/** Valid, but not for every reader: see head-parser. */
const TAB_AT_FRAMING = /^(?:content-length|transfer-encoding):(?:[ \t]*\t|[^\r\n]*\t[ \t]*\r)/im;
const CHUNK_LINE = new RegExp(`([0-9A-Fa-f]+)${CHUNK_EXT}\\r\\n`, 'y');
const TRAILER_SECTION = new RegExp(`${FIELD_LINES}\\r\\n`, 'y');

/** pchar of RFC 3986 and, because browsers send them as they are (URL Standard), `"<>[]^\`{|}`. */
const PATH = /^(?:\/(?:[\w.~!$&'()*+,;=:@"<>[\]^`{|}-]|%[0-9A-Fa-f]{2})*)+$/;
const QUERY = /^[!-"$-~]*$/;

/** RFC 9110 section 6.5.1: not in trailers; RFC 9112 section 7.1.2: may be dropped by whoever takes the chunked coding off. */
export const NOT_IN_TRAILERS =
  /^(?:connection|content-(?:length|encoding|type|range)|http2-settings|keep-alive|proxy-(?:authenticate|authorization|authentication-info|connection)|te|transfer-encoding|upgrade|host|trailer|expect|range|authorization|cookie|set-cookie|cache-control|max-forwards)$/i;

/** The requests at the start of the text that follow the grammar. */
export function readRequests(text: string): Reading {
  const messages: ReadMessage[] = [];
  let from = 0;
  while (from < text.length) {
    const match = matchAt(REQUEST_HEAD, text, from);
    if (match === null) return refused(messages);
    const [, method = '', target = '', version = '', lines = ''] = match;
    const fields = fieldsOf(lines);
    if (TAB_AT_FRAMING.test(lines)) return refused(messages);
    const length = isValidRequest(method, target, version, fields) ? framing(version, fields) : null;
    if (length === null) return refused(messages);
    const message = new ReadMessage([method, target, version], fields, from + match[0].length);
    messages.push(message);
    const end = readContent(text, message, length ?? 0);
    if (end === null) return refused(messages);
    from = end;
    const options = listOf(values(fields, 'connection'));
    if (version === '1.1' ? options.includes('close') : !options.includes('keep-alive')) return closed(messages);
  }
  return { messages, outcome: 'waiting', reason: '' };
}

/** The interim responses (100, 103) and the final response to a GET at the start of the text, all that will come. */
export function readResponse(text: string): Reading {
  const messages: ReadMessage[] = [];
  let from = 0;
  for (;;) {
    const match = matchAt(RESPONSE_HEAD, text, from);
    if (match === null) return refused(messages);
    const [, version = '', code = '', reason = '', lines = ''] = match;
    const fields = fieldsOf(lines);
    const status = Number(code);
    const length = framing(version, fields);
    if (length === null || status === 101 || TAB_AT_FRAMING.test(lines)) return refused(messages);
    from += match[0].length;
    const isInterim = status < 200;
    if (isInterim && status !== 100 && status !== 103) continue;
    const message = new ReadMessage([version, code, reason], fields, from);
    messages.push(message);
    if (isInterim) message.end = from;
    else {
      const isBodyless = status === 204 || status === 304;
      const end = readContent(text, message, isBodyless ? 0 : (length ?? 'close'));
      return end === null ? refused(messages) : closed(messages);
    }
  }
}

/** RFC 9112 section 3.2 for targets, as far as a regular expression goes: the dot segments have their own tests. */
export function isTarget(method: string, target: string): boolean {
  if (target === '*') return method === 'OPTIONS';
  const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target);
  const rest = absolute === null ? target : absolute[2]!.replace(/^(?!\/)/, '/');
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/.exec(rest)!;
  return PATH.test(path) && !/%00/.test(path) && QUERY.test(query);
}

/** uri-host [ ":" port ], uri-host an IP literal, an IPv4 address or a name of the DNS. */
export function isAuthority(text: string): boolean {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text) ?? [];
  if (port !== undefined && port !== '' && (Number(port) < 1 || Number(port) > 65_535 || port.length > 5)) return false;
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1)) && !host.includes('%');
  if (isIPv4(host)) return true;
  const labels = host.replace(/\.$/, '').split('.');
  const isName = labels.every((label) => /^(?!-)[0-9A-Za-z-]{1,63}(?<!-)$/.test(label));
  return isName && host.length <= 254 && !/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!);
}

function isValidRequest(method: string, target: string, version: string, fields: readonly string[]): boolean {
  const hosts = values(fields, 'host');
  const expect = values(fields, 'expect');
  const authority = /^https?:\/\/([^/?#]+)/i.exec(target)?.[1];
  if (method === 'CONNECT' || !isTarget(method, target)) return false;
  if (version === '1.1' && expect.length > 0 && expect.join().toLowerCase() !== '100-continue') return false;
  if (hosts.length > 1 || (hosts.length === 0 && (version === '1.1' || authority === undefined))) return false;
  if (!isAuthority(hosts[0] ?? authority!)) return false;
  return (
    authority === undefined || hosts.length === 0 || (isAuthority(authority) && sameAuthority(authority, hosts[0]!))
  );
}

function sameAuthority(a: string, b: string): boolean {
  const normal = (text: string): string =>
    text
      .toLowerCase()
      .replace(/\.?(?::0*)?$/, '')
      .replace(/\.?:0*(?=\d)/, ':');
  return normal(a) === normal(b);
}

type Length = number | 'chunked' | 'close';

/** RFC 9112 section 6.3. undefined: none is declared; null: no one may guess. */
function framing(version: string, fields: readonly string[]): Length | null | undefined {
  const lengths = values(fields, 'content-length');
  const codings = values(fields, 'transfer-encoding');
  if (codings.length + lengths.length > 1) return null;
  if (codings.length === 1) return version === '1.1' && /^chunked$/i.test(codings[0]!) ? 'chunked' : null;
  if (lengths.length === 0) return undefined;
  return /^\d{1,16}$/.test(lengths[0]!) && Number.isSafeInteger(Number(lengths[0])) ? Number(lengths[0]) : null;
}

/** Reads the content behind the head; returns where the message ends, or null when its content is malformed or cut off. */
function readContent(text: string, message: ReadMessage, length: Length): number | null {
  if (length !== 'chunked') {
    const end = length === 'close' ? text.length : message.headEnd + length;
    message.content = text.slice(message.headEnd, end);
    if (end > text.length) return null;
    message.end = end;
    return end;
  }
  let from = message.headEnd;
  for (;;) {
    const line = matchAt(CHUNK_LINE, text, from);
    if (line === null) return null;
    const size = Number.parseInt(line[1]!, 16);
    from += line[0].length;
    if (size === 0) break;
    message.content += text.slice(from, from + size);
    if (text.slice(from + size, from + size + 2) !== '\r\n') return null;
    from += size + 2;
  }
  const section = matchAt(TRAILER_SECTION, text, from);
  if (section === null || TAB_AT_FRAMING.test(section[1]!)) return null;
  message.trailers = withoutForbidden(fieldsOf(section[1]!));
  message.end = from + section[0].length;
  return message.end;
}

/** name, value … without what may not stand in trailers. */
export function withoutForbidden(trailers: readonly string[]): string[] {
  return trailers.filter((_, index) => !NOT_IN_TRAILERS.test(trailers[index - (index % 2)]!));
}

function matchAt(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

function fieldsOf(lines: string): string[] {
  return [...lines.matchAll(new RegExp(FIELD_LINE, 'gy'))].flatMap(([, name = '', value = '']) => [name, value]);
}

/** Values of the fields of that name (in lower case), in order. */
export function values(fields: readonly string[], name: string): string[] {
  return fields.filter((_, index) => index % 2 === 1 && fields[index - 1]!.toLowerCase() === name);
}

function listOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.split(',').map((element) => element.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase()),
  );
}

function refused(messages: readonly ReadMessage[]): Reading {
  return { messages, outcome: 'refused', reason: 'not in the grammar' };
}

function closed(messages: readonly ReadMessage[]): Reading {
  return { messages, outcome: 'closed', reason: '' };
}
