// One HTTPS request and its whole answer: a deadline over all of it, a bound on its size, JSON where JSON is promised.
// Repeats nothing and judges no status; transport.ts does.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { codeOf, messageOf, PerantaraError } from '../../core/errors.ts';

export interface ExchangeOptions {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** A signed body (flattened JWS), or null. */
  readonly body: string | null;
  readonly userAgent: string;
  readonly agent: Agent;
  /** Connecting and the answer's body included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface AcmeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed when JSON, else text. */
  readonly data: unknown;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** The connection could not be made, or broke. */
export class IssuerUnreachable extends PerantaraError {
  /** It broke on a kept-alive connection, which the server may have closed at its leisure. */
  readonly reusedConnection: boolean;

  constructor(url: URL, cause: Error, reusedConnection: boolean) {
    // Node's own advice after the semicolon is for developers.
    const state = messageOf(cause).split('; if the root CA')[0] || codeOf(cause);
    super(`cannot reach "${url.host}": ${state}${hintOf(codeOf(cause))}`, {
      code: 'issuer_unreachable',
      source: 'issuer',
      retryable: true,
      cause,
    });
    this.reusedConnection = reusedConnection;
  }
}

/** Throws IssuerUnreachable, `issuer_timeout`, `issuer_answer_invalid`, or the signal's reason. */
export function exchange(url: URL, options: ExchangeOptions): Promise<AcmeResponse> {
  const { method, body, userAgent, agent, timeoutMs, signal } = options;
  return new Promise<AcmeResponse>((resolve, reject) => {
    const headers: Record<string, string> = { 'user-agent': userAgent, 'accept-language': 'en' };
    if (body !== null) headers['content-type'] = 'application/jose+json';
    let timeout: PerantaraError | null = null;
    const outgoing = httpsRequest(url, { method, headers, agent, signal });
    const timer = setTimeout(() => {
      timeout = timedOut(url, timeoutMs);
      outgoing.destroy(timeout);
    }, timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      if (signal.aborted) reject(signal.reason);
      else if (timeout !== null) reject(timeout);
      else reject(error instanceof PerantaraError ? error : new IssuerUnreachable(url, error, outgoing.reusedSocket));
    };
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      incoming.on('error', fail);
      readAnswer(url, incoming).then((answer) => {
        clearTimeout(timer);
        resolve(answer);
      }, fail);
    });
    outgoing.end(body ?? undefined);
  });
}

async function readAnswer(url: URL, incoming: IncomingMessage): Promise<AcmeResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw invalid(url, `it is larger than ${MAX_BODY_BYTES} bytes`, false);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { statusCode = 0, headers } = incoming;
  const isJson = /[/+]json\b/i.test(headers['content-type'] ?? '') || /^\s*\{/.test(text);
  if (!isJson || text === '') return { status: statusCode, headers, data: text };
  try {
    return { status: statusCode, headers, data: JSON.parse(text) as unknown };
  } catch (cause) {
    // An error page in the wrong clothes still has a status that says enough.
    if (statusCode >= 400) return { status: statusCode, headers, data: '' };
    throw invalid(url, `it is not JSON: ${messageOf(cause)}`, true);
  }
}

/** What to do when the server's own certificate is the trouble (OpenSSL's names). */
function hintOf(code: string): string {
  const untrusted = code.startsWith('UNABLE_TO_') || code.includes('SELF_SIGNED');
  return untrusted ? '; set "acme.trust" to the CA bundle that authenticates this server' : '';
}

function timedOut(url: URL, timeoutMs: number): PerantaraError {
  return new PerantaraError(`cannot reach "${url.host}": no answer within ${timeoutMs / 1_000} s`, {
    code: 'issuer_timeout',
    source: 'issuer',
    retryable: true,
  });
}

function invalid(url: URL, state: string, retryable: boolean): PerantaraError {
  return new PerantaraError(`cannot read the answer of "${url.host}${url.pathname}": ${state}`, {
    code: 'issuer_answer_invalid',
    source: 'issuer',
    retryable,
  });
}
