// From the fields of an HTTP/2 response to its head (RFC 9113 section 8.3.2).
import { createHash } from 'node:crypto';
import type { ResponseHead } from '../http/message.ts';
import { StreamFault } from './fault.ts';
import type { MessageFields } from './message-fields.ts';
import { declaredLength } from './request-fields.ts';

export interface IncomingResponse {
  readonly head: ResponseHead;
  /** By content-length; null without. */
  readonly length: number | null;
}

/** Throws StreamFault. */
export function readResponse(fields: MessageFields): IncomingResponse {
  if (fields.fault !== null) throw malformed(fields.fault);
  if (fields.tooLarge) throw malformed('its head is too large');
  const { status, method, path, scheme, authority, protocol } = fields;
  if ((method ?? path ?? scheme ?? authority ?? protocol) !== null) throw malformed('a pseudo-field of requests');
  if (status === null || !/^[1-5]\d\d$/.test(status) || status === '101') throw malformed('no valid :status');
  const length = declaredLength(fields.contentLength);
  return { head: { status: Number(status), reason: '', headers: fields.headers() }, length };
}

/** What WebSocket over HTTP/1.1 answers to a `sec-websocket-key` (RFC 6455 section 4.2.2), and over HTTP/2 does not. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

function malformed(what: string): StreamFault {
  return new StreamFault('PROTOCOL_ERROR', `the response is malformed: ${what}`);
}
