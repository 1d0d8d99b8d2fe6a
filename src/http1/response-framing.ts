// How the end of a response is told to its client (RFC 9112 section 6.3), by the client's version and what is known of the length.
import { isBodyless, type RequestHead } from '../http/message.ts';

/** `close`: by the end of the connection; `tunnel`: there is none before that. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

/** `length`: bytes of content, null when unknown. */
export function responseFraming({ method, version }: RequestHead, status: number, length: number | null) {
  if (isBodyless(method, status)) return 'none';
  if (length !== null) return 'length';
  return version === '1.1' ? 'chunked' : 'close';
}

/** The field line that says so, or ''. Without content the length is that of the content there would be. */
export function framingField(framing: ResponseFraming, status: number, length: number | null): string {
  if (framing === 'chunked') return 'Transfer-Encoding: chunked\r\n';
  return length === null || (framing === 'none' && status === 204) ? '' : `Content-Length: ${length}\r\n`;
}
