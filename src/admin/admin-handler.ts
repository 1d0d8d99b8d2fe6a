// One request to the admin endpoint: may it be asked, what is asked, and the answer. Every fault becomes an answer or a line in
// the log; none leaves this file.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { codeOf } from '../core/errors.ts';
import { type AccessRules, checkAccess } from './access.ts';
import { AdminError } from './admin-error.ts';
import type { AdminServices } from './admin-services.ts';
import { type Answer, answer, type TextAnswer } from './json-answer.ts';
import { readBody } from './request-body.ts';
import { ROUTES, type Route } from './routes.ts';

/** How it shows that the client has not waited for its answer. */
const GONE: readonly string[] = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'];

/** Never rejects. */
export async function handleAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  rules: AccessRules,
  services: AdminServices,
): Promise<void> {
  request.on('error', () => {}); // the client has gone
  response.on('error', () => {});
  const isHead = request.method === 'HEAD';
  try {
    await answer(response, await answerTo(request, rules, services), isHead);
  } catch (error) {
    if (GONE.includes(codeOf(error))) return;
    if (!(error instanceof AdminError)) services.log.error({ path: request.url, err: error }, 'admin request failed');
    if (response.headersSent) response.destroy();
    else await answer(response, refusal(error), isHead).catch(() => response.destroy());
  } finally {
    request.resume(); // what was not read must not hold up the connection's end
  }
}

async function answerTo(
  request: IncomingMessage,
  rules: AccessRules,
  services: AdminServices,
): Promise<Answer | TextAnswer> {
  checkAccess(request, rules);
  const route = routeOf(request);
  const body = await readBody(request);
  // It may take longer than a client may be silent.
  const { socket } = request;
  const { timeout } = socket;
  socket.setTimeout(0);
  try {
    return await route(services, body, request.headers.accept ?? '');
  } finally {
    socket.setTimeout(timeout ?? 0);
  }
}

function routeOf({ method = '', url = '' }: IncomingMessage): Route {
  const path = url.split('?', 1)[0]!;
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path]! : null;
  if (methods === null)
    throw new AdminError(404, 'unknown_path', 'cannot answer: there is no such path; GET / lists those that there are');
  const known = method === 'HEAD' ? 'GET' : method;
  if (Object.hasOwn(methods, known)) return methods[known]!;
  const allow = Object.keys(methods)
    .flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]))
    .join(', ');
  throw new AdminError(405, 'method_refused', `cannot answer: ${path} takes ${allow}`, { allow });
}

function refusal(error: unknown): Answer {
  if (error instanceof AdminError) {
    const { status, code, message, headers } = error;
    return { status, headers, body: { error: { code, message } } };
  }
  return {
    status: 500,
    body: { error: { code: 'internal', message: 'cannot answer: a fault of Perantara; the log says more' } },
  };
}
