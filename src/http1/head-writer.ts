// Writes message heads (RFC 9112): start line, the fields given, then the framing and connection fields this codec decides.
// Names and values were checked when they were parsed or configured.
import type { HeaderList } from '../http/header-list.ts';
import { declaresEmptyContent } from '../http/message.ts';
import type { OutgoingRequest } from '../http/outgoing-request.ts';
import { reasonPhrase } from '../http/status.ts';

/** With the framing that the request's length asks for, and its Upgrade or TE. */
export function writeRequestHead(request: OutgoingRequest): string {
  const { method, target, headers, length, upgradeTo, acceptsTrailers } = request;
  let fields = '';
  if (length === null) fields = 'Transfer-Encoding: chunked\r\n';
  else if (length > 0 || declaresEmptyContent(method)) fields = `Content-Length: ${length}\r\n`;
  if (upgradeTo !== null) fields += `Connection: Upgrade\r\nUpgrade: ${upgradeTo}\r\n`;
  else if (acceptsTrailers) fields += 'Connection: TE\r\nTE: trailers\r\n';
  return `${method} ${target} HTTP/1.1\r\n${headers.write()}${fields}\r\n`;
}

/** `fields`: complete lines that follow the list's own, each ending in CRLF. */
export function writeResponseHead(status: number, reason: string, headers: HeaderList, fields: string): string {
  return `HTTP/1.1 ${status} ${reason === '' ? reasonPhrase(status) : reason}\r\n${headers.write()}${fields}\r\n`;
}

/** The last chunk with its trailer section (RFC 9112 section 7.1.2). */
export function writeLastChunk(trailers: HeaderList | null): string {
  return trailers === null ? '0\r\n\r\n' : `0\r\n${trailers.write()}\r\n`;
}
