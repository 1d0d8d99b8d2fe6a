// Small complete responses of our own: error pages, redirects, fixed texts. HTML if the client asks for it, else text;
// to a gRPC call a gRPC status.
import { httpDate } from '../core/clock.ts';
import type { PerantaraError } from '../core/errors.ts';
import type { Exchange } from './exchange.ts';
import { grpcRefusal } from './grpc.ts';
import { HeaderList } from './header-list.ts';
import { isBodyless, type ResponseHead } from './message.ts';
import { reasonPhrase, statusOf } from './status.ts';

const EXPLANATIONS: Readonly<Record<number, string>> = {
  400: 'The request was not understood.',
  404: 'There is nothing here.',
  408: 'The request took too long to arrive.',
  413: 'The request is larger than this site allows.',
  414: 'The address of the request is too long.',
  417: 'The expectation in the request cannot be met.',
  421: 'This host is not served here.',
  431: 'The header of the request is too large.',
  500: 'Something went wrong here.',
  501: 'This is not supported here.',
  502: 'The service behind this site did not answer properly.',
  503: 'The service behind this site is not available.',
  504: 'The service behind this site did not answer in time.',
  505: 'This version of HTTP is not spoken here.',
};

/** Sends a whole response: `text` as `contentType`, with `extra` fields. Reads nothing of the request. */
export function sendPlain(
  exchange: Exchange,
  status: number,
  contentType: string,
  text: string,
  extra: readonly string[] = [],
): void {
  const body = Buffer.from(text);
  const head = plainHead(status, contentType, extra);
  const bodyless = isBodyless(exchange.request.method, status);
  exchange.respond(head, body.length);
  if (!bodyless && body.length > 0) exchange.write(body);
  exchange.end(null);
}

/** Answers with the page of `error`, or breaks the response off when its head has already left. */
export function sendError(exchange: Exchange, error: PerantaraError): void {
  exchange.record?.note(error);
  if (exchange.responded) {
    exchange.abort(error);
    return;
  }
  const status = statusOf(error);
  const explanation = EXPLANATIONS[status] ?? reasonPhrase(status);
  const refusal = grpcRefusal(exchange.request.headers, status, `${explanation} Request id: ${exchange.id}`);
  if (refusal !== null) {
    sendPlain(exchange, 200, refusal.contentType, '', refusal.fields);
    return;
  }
  const wantsHtml = exchange.request.headers.get('accept')?.includes('text/html') ?? false;
  const { contentType, text } = errorPage(status, exchange.id, wantsHtml);
  sendPlain(exchange, status, contentType, text, ['Cache-Control', 'no-store']);
}

export function plainHead(status: number, contentType: string, extra: readonly string[]): ResponseHead {
  const headers = new HeaderList(['Date', httpDate()]);
  if (contentType !== '') headers.append('Content-Type', contentType);
  for (let i = 0; i + 1 < extra.length; i += 2) headers.append(extra[i]!, extra[i + 1]!);
  return { status, reason: reasonPhrase(status), headers };
}

/** The page of a status; says nothing of the software or the network behind it. `requestId` is safe to show. */
export function errorPage(status: number, requestId: string, html: boolean): { contentType: string; text: string } {
  const title = `${status} ${reasonPhrase(status)}`;
  const explanation = EXPLANATIONS[status] ?? '';
  if (!html) {
    const text = `${title}\n${explanation === '' ? '' : `${explanation}\n`}Request id: ${requestId}\n`;
    return { contentType: 'text/plain; charset=utf-8', text };
  }
  const text =
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${title}</title><style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:20vh auto;padding:0 1rem}` +
    `small{opacity:.6}</style><h1>${title}</h1><p>${explanation}</p><small>Request id: ${requestId}</small></html>\n`;
  return { contentType: 'text/html; charset=utf-8', text };
}
