// From the fields of an HTTP/2 response to its head (RFC 9113 section 8.3.2).
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

function malformed(what: string): StreamFault {
  return new StreamFault('PROTOCOL_ERROR', `the response is malformed: ${what}`);
}
