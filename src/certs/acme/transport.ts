// HTTPS to one ACME server: its own trust, bounded repeats, a pool of nonces (RFC 8555 section 6.5), typed problems.
// Signs nothing and knows no resource.
import type { IncomingHttpHeaders } from 'node:http';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { PerantaraError } from '../../core/errors.ts';
import { type AcmeResponse, exchange, IssuerUnreachable } from './exchange.ts';
import { AcmeProblem, readProblem, retryAfterOf } from './problem.ts';

export interface AcmeTransportOptions {
  /** PEM bundle that alone authenticates the server, or null for the system's roots. */
  readonly trust: string | null;
  /** `perantara/1.2.3` */
  readonly userAgent: string;
  readonly clock: Clock;
  /** One exchange, connecting and body included. */
  readonly timeoutMs: number;
}

export interface AcmeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** A signed body (flattened JWS), for POST; else null. */
  readonly body: string | null;
  /** Whether doing it twice equals doing it once: it is then repeated after network and server errors. */
  readonly idempotent: boolean;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 3;
const MAX_ATTEMPTS = 3;
const RETRY_DELAY_MS = 250;
/** A longer Retry-After is not slept through here: the caller gives up and comes back then. */
const MAX_SLEEP_MS = 5_000;
/** Connections to one host: a CA that names thousands of addresses must not use up the file table. */
const MAX_SOCKETS = 32;
/** Nonces kept for later; they do not live long at the CA. */
const MAX_NONCES = 32;

export class AcmeTransport {
  readonly #options: AcmeTransportOptions;
  readonly #agent: Agent;
  readonly #nonces: string[] = [];

  constructor(options: AcmeTransportOptions) {
    this.#options = options;
    const ca = options.trust === null ? {} : { ca: options.trust };
    this.#agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: options.timeoutMs, ...ca });
  }

  /** A nonce from an earlier answer, the newest first, or null. Each is handed out once. */
  takeNonce(): string | null {
    return this.#nonces.pop() ?? null;
  }

  /** How long an answer asks to wait before the next look, or null. */
  retryAfterMs(headers: IncomingHttpHeaders): number | null {
    return retryAfterOf(headers, this.#options.clock.now());
  }

  /** Drops idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  /**
   * Throws AcmeProblem for status 400 and above – except badNonce, which is returned with the fresh nonce in its headers –
   * and, with source issuer: `issuer_insecure`, `issuer_unreachable`, `issuer_timeout`, `issuer_answer_invalid`.
   */
  async request(url: string, request: AcmeRequest): Promise<AcmeResponse> {
    let target = secureUrl(url);
    let redirects = 0;
    for (let attempt = 1; ; ) {
      try {
        const answer = await exchange(target, { ...this.#options, ...request, agent: this.#agent });
        if (answer.status < 300 || answer.status > 399) return this.#judge(target, answer);
        target = redirectTarget(target, request, answer, ++redirects);
      } catch (error) {
        request.signal.throwIfAborted();
        const waitMs = repeatDelay(error, request.idempotent, attempt++);
        if (waitMs === null) throw error;
        await delay(waitMs, undefined, { signal: request.signal }).catch(() => request.signal.throwIfAborted());
      }
    }
  }

  #judge(url: URL, answer: AcmeResponse): AcmeResponse {
    const { status, headers, data } = answer;
    const problem = status < 400 ? null : readProblem(data, status, this.retryAfterMs(headers));
    // The nonce that comes with badNonce belongs to the repetition, which takes it from the headers.
    if (problem?.type === 'badNonce') return answer;
    const nonce = headers['replay-nonce'];
    if (typeof nonce === 'string' && /^[A-Za-z0-9_-]{1,512}$/.test(nonce)) {
      this.#nonces.push(nonce);
      if (this.#nonces.length > MAX_NONCES) this.#nonces.shift();
    }
    if (problem !== null) throw new AcmeProblem(`complete request to "${url.host}${url.pathname}"`, problem);
    return answer;
  }
}

/** How long to wait before the same request is sent again, or null: do not. `attempt` counts from 1. */
function repeatDelay(error: unknown, idempotent: boolean, attempt: number): number | null {
  // A dead kept-alive connection says nothing about the server, and the nonce keeps a request from counting twice.
  if (error instanceof IssuerUnreachable && error.reusedConnection && attempt === 1) return 0;
  if (!idempotent || attempt >= MAX_ATTEMPTS || !(error instanceof PerantaraError) || !error.retryable) return null;
  if (!(error instanceof AcmeProblem)) return RETRY_DELAY_MS * 2 ** (attempt - 1);
  if (error.status < 500) return null;
  const waitMs = Math.max(RETRY_DELAY_MS * 2 ** (attempt - 1), error.retryAfterMs ?? 0);
  return waitMs <= MAX_SLEEP_MS ? waitMs : null;
}

/** Only the directory is read by GET; a signed request is bound to its URL and must not follow (RFC 8555 section 6.4). */
function redirectTarget(from: URL, { method }: AcmeRequest, { status, headers }: AcmeResponse, count: number): URL {
  const location = headers.location ?? '';
  if (method !== 'GET' || location === '' || !URL.canParse(location, from.href) || count > MAX_REDIRECTS)
    throw new PerantaraError(`cannot follow "${from.host}${from.pathname}": it answers ${status} to "${location}"`, {
      code: 'issuer_answer_invalid',
      source: 'issuer',
    });
  return secureUrl(new URL(location, from.href).href);
}

/** RFC 8555 section 6.1: HTTPS only, for every URL the server names too. */
function secureUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'https:') return parsed;
  throw new PerantaraError(`cannot use ACME address "${url}": it is not an https URL`, {
    code: 'issuer_insecure',
    source: 'issuer',
  });
}
