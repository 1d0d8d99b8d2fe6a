// One request to the admin endpoint: may it be asked, what is asked, and the answer. Every fault becomes an answer or a line in
// the log; none leaves this file.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { codeOf } from '../core/errors.ts';
import { type AccessRules, checkOrigin, checkToken } from './access.ts';
import { AdminError } from './admin-error.ts';
import type { AdminServices } from './admin-services.ts';
import type { CertificateDigest } from './certificate-digest.ts';
import { type DashboardFiles, sendFile, sendToDashboard } from './dashboard-files.ts';
import { type Answer, answer, type TextAnswer } from './json-answer.ts';
import { readBody } from './request-body.ts';
import { ROUTES, type Route } from './routes.ts';

/** How it shows that the client has not waited for its answer. */
const GONE: readonly string[] = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'];

export interface AdminDesk {
  readonly services: AdminServices;
  readonly digest: CertificateDigest;
  readonly dashboard: DashboardFiles;
}

/** Never rejects. */
export async function handleAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  rules: AccessRules,
  desk: AdminDesk,
): Promise<void> {
  const { services } = desk;
  request.on('error', () => {}); // the client has gone
  response.on('error', () => {});
  const isHead = request.method === 'HEAD';
  try {
    checkOrigin(request, rules);
    if (answerPage(request, response, desk.dashboard)) return;
    checkToken(request, rules);
    await answer(response, await answerTo(request, desk), isHead);
  } catch (error) {
    if (GONE.includes(codeOf(error))) return;
    if (!(error instanceof AdminError)) services.log.error({ path: request.url, err: error }, 'admin request failed');
    if (response.headersSent) response.destroy();
    else await answer(response, refusal(error), isHead).catch(() => response.destroy());
  } finally {
    request.resume(); // what was not read must not hold up the connection's end
  }
}

/** Pages hold nothing secret: whoever has no token yet gets them too. */
function answerPage(request: IncomingMessage, response: ServerResponse, dashboard: DashboardFiles): boolean {
  const { method = '', url = '', headers } = request;
  if (method !== 'GET' && method !== 'HEAD') return false;
  const path = pathOf(url);
  const file = dashboard.find(path);
  if (file !== null) sendFile(response, file, method === 'HEAD');
  else if (path === '/' && headers.accept?.includes('text/html') === true) sendToDashboard(response);
  else return false;
  return true;
}

async function answerTo(request: IncomingMessage, { services, digest }: AdminDesk): Promise<Answer | TextAnswer> {
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
  const route = routeOf(request);
  const body = await readBody(request);
  // It may take longer than a client may be silent.
  const { socket } = request;
  const { timeout } = socket;
  socket.setTimeout(0);
  try {
    return await route(services, body, { accept: request.headers.accept ?? '', query, digest });
  } finally {
    socket.setTimeout(timeout ?? 0);
  }
}

function routeOf({ method = '', url = '' }: IncomingMessage): Route {
  const path = pathOf(url);
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

function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
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
