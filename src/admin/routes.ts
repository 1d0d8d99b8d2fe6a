// What can be asked of the admin endpoint, and how each is answered. Field names are a promise, as those of `perantara certs --json`:
// times are milliseconds since the epoch.
import type { LogLevel } from '../core/log.ts';
import { CONTENT_TYPES, exposition } from '../observe/metrics/exposition.ts';
import { targetsTogether } from '../server/worker-report.ts';
import { AdminError } from './admin-error.ts';
import type { AdminServices } from './admin-services.ts';
import type { CertificateDigest } from './certificate-digest.ts';
import type { Answer, TextAnswer } from './json-answer.ts';
import { overview } from './overview.ts';
import { processStatus } from './process-status.ts';
import { redactedConfig } from './redacted-config.ts';
import { switchTarget } from './target-switch.ts';

/** `body`: at most MAX_BODY_BYTES. Throws AdminError. */
export type Route = (
  services: AdminServices,
  body: string,
  asked: Asked,
) => Answer | TextAnswer | Promise<Answer | TextAnswer>;

export interface Asked {
  /** The field, or ''. */
  readonly accept: string;
  readonly query: URLSearchParams;
  readonly digest: CertificateDigest;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** By path, then by method; HEAD is answered as GET. */
export const ROUTES: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/': {
    GET: () =>
      ok({
        endpoints: [
          'GET /dashboard',
          ...Object.entries(ROUTES).flatMap(([path, methods]) =>
            path === '/' ? [] : Object.keys(methods).map((method) => `${method} ${path}`),
          ),
        ],
      }),
  },
  '/health': { GET: () => ok({ status: 'ok' }) },
  '/ready': { GET: ready },
  '/status': { GET: async (services) => ok({ ...(await processStatus(services)) }) },
  '/overview': {
    GET: async (services, _body, { digest, query }) =>
      ok({ ...(await overview(services, digest, query.get('find') ?? '')) }),
  },
  '/config': { GET: ({ config }) => ok(redactedConfig(config())) },
  '/certificates': { GET: ({ certificates }) => ok({ certificates: certificates() }) },
  '/targets': { GET: async ({ reports }) => ok({ targets: targetsTogether(await reports()) }) },
  '/targets/drain': { POST: (services, body) => switchTarget(services, body, true) },
  '/targets/enable': { POST: (services, body) => switchTarget(services, body, false) },
  '/metrics': { GET: metrics },
  '/reload': { POST: reload },
  '/log-level': { GET: ({ log }) => ok({ level: log.level }), PUT: changeLogLevel },
};

function ok(body: Answer['body']): Answer {
  return { status: 200, body };
}

/** Whether requests should be sent here: what a load balancer in front wants to know. */
function ready({ serving }: AdminServices): Answer {
  const { state } = serving();
  return { status: state === 'serving' ? 200 : 503, body: { ready: state === 'serving', state } };
}

/** In the form that the scraper prefers, as far as Prometheus says: it names OpenMetrics when it takes it. */
async function metrics(services: AdminServices, _body: string, { accept }: Asked): Promise<TextAnswer> {
  const { workers, primary } = await services.metrics();
  const format = /\bapplication\/openmetrics-text\b/i.test(accept) ? 'openmetrics' : 'prometheus';
  return {
    status: 200,
    headers: { 'content-type': CONTENT_TYPES[format] },
    pieces: exposition(workers, primary, format),
  };
}

async function reload(services: AdminServices): Promise<Answer> {
  const result = await services.reload();
  if (result.accepted) return ok({ ...result });
  return { status: 422, body: { error: { code: 'reload_refused', message: result.message }, ...result } };
}

function changeLogLevel({ log, setLogLevel }: AdminServices, body: string): Answer {
  const level = levelOf(body);
  const before = log.level;
  if (level !== before) {
    log.info({ before, level }, 'log level changed');
    setLogLevel(level);
  }
  return ok({ level });
}

/** `{"level":"debug"}`, or the bare word. */
function levelOf(body: string): LogLevel {
  let value: unknown = body.trim();
  try {
    const parsed = JSON.parse(body) as unknown;
    value = typeof parsed === 'object' && parsed !== null ? (parsed as { level?: unknown }).level : parsed;
  } catch {
    // The bare word.
  }
  const level = LEVELS.find((each) => each === value);
  if (level !== undefined) return level;
  throw new AdminError(
    400,
    'level_unknown',
    `cannot set the log level: send {"level":"debug"}; allowed: ${LEVELS.join(', ')}`,
  );
}
