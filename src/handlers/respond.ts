// Answers with a fixed text.
import type { Handler } from '../http/exchange.ts';
import { sendPlain } from '../http/plain-response.ts';

export function respondHandler(status: number, contentType: string, body: string): Handler {
  return (exchange) => sendPlain(exchange, status, contentType, body);
}
