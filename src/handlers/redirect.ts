// Answers with a redirect to a fixed place.
import type { Handler } from '../http/exchange.ts';
import { sendPlain } from '../http/plain-response.ts';
import { reasonPhrase } from '../http/status.ts';

/** `location`: checked at config load. */
export function redirectHandler(status: number, location: string): Handler {
  const text = `${reasonPhrase(status)}: ${location}\n`;
  return (exchange) => sendPlain(exchange, status, 'text/plain; charset=utf-8', text, ['Location', location]);
}
