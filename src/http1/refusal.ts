// The answer to bytes that never became a request: a small complete response, after which the connection closes.
import type { PerantaraError } from '../core/errors.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { errorPage, plainHead } from '../http/plain-response.ts';
import { newRequestId } from '../http/request-id.ts';
import { statusOf } from '../http/status.ts';
import { writeResponseHead } from './head-writer.ts';
import type { Output } from './output.ts';

export function refuseConnection(output: Output, error: PerantaraError, record: ExchangeRecord | null): void {
  const status = statusOf(error);
  const id = newRequestId();
  const { contentType, text } = errorPage(status, id, false);
  const head = plainHead(status, contentType, []);
  const fields = `Content-Length: ${text.length}\r\nConnection: close\r\n`;
  output.text(writeResponseHead(head.status, head.reason, head.headers, fields) + text);
  if (record === null) return;
  record.id = id;
  record.respond(status, head.headers);
  record.responseBytes = text.length;
  record.note(error);
  record.over(null);
}
