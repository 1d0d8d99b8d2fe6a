// The HTTP server of the admin endpoint, at one place: bounded in connections, sizes and patience, so that whoever asks, or
// pretends to, costs the proxy next to nothing. Where it listens, others decide.
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf } from '../core/errors.ts';
import type { AccessRules } from './access.ts';
import { type AdminDesk, handleAdmin } from './admin-handler.ts';
import { MAX_BODY_BYTES } from './request-body.ts';

export interface AdminPatience {
  /** First byte → the whole head. Default 5 s. */
  readonly headMs: number;
  /** First byte → the whole request. Default 10 s. */
  readonly requestMs: number;
  /** Longest silence otherwise: of one who does not read, or asks nothing more. Default 10 s. */
  readonly silenceMs: number;
  /** How long answers under way may take when it is closed. Default 5 s. */
  readonly closeMs: number;
}

const PATIENCE: AdminPatience = { headMs: 5_000, requestMs: 10_000, silenceMs: 10_000, closeMs: 5_000 };
const MAX_CONNECTIONS = 32;
const MAX_HEAD_BYTES = 8_192;

/** What is answered to what is no request. */
const MALFORMED: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', `the head is larger than ${MAX_HEAD_BYTES} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request came too slowly'],
};

export class AdminServer {
  /** To be told to listen. */
  readonly http: Server;
  /** May change while it listens. */
  rules: AccessRules;
  readonly #patience: AdminPatience;
  #closed: Promise<void> | null = null;

  constructor(rules: AccessRules, desk: AdminDesk, patience: Partial<AdminPatience> = {}) {
    this.rules = rules;
    this.#patience = { ...PATIENCE, ...patience };
    const { headMs, requestMs, silenceMs } = this.#patience;
    this.http = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: headMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1_000, headMs / 2),
      keepAliveTimeout: silenceMs,
      requireHostHeader: false, // judged with the rest
    });
    this.http.maxConnections = MAX_CONNECTIONS;
    this.http.timeout = silenceMs;
    this.http.on('request', (request, response) => void handleAdmin(request, response, this.rules, desk));
    this.http.on('checkContinue', (request, response) => {
      if (Number(request.headers['content-length'] ?? 0) <= MAX_BODY_BYTES) response.writeContinue();
      void handleAdmin(request, response, this.rules, desk);
    });
    this.http.on('clientError', refuseMalformed);
    this.http.on('error', () => {}); // out of file descriptors, say; who opens it listens for himself
    this.http.on('connection', (socket) => socket.on('error', () => {}));
  }

  /** Takes no more requests; answers under way are finished as long as that does not take long. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  destroy(): void {
    this.http.close(() => {});
    this.http.closeAllConnections();
  }

  async #close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.http.close(() => resolve());
    this.http.closeIdleConnections();
    const timer = setTimeout(() => this.http.closeAllConnections(), this.#patience.closeMs);
    await promise;
    clearTimeout(timer);
  }
}

function refuseMalformed(error: Error, socket: Duplex): void {
  if (!socket.writable || codeOf(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, why] = MALFORMED[codeOf(error)] ?? ['400 Bad Request', 'it is not HTTP/1.1'];
  const body = `${JSON.stringify({ error: { code: 'malformed', message: `cannot read the request: ${why}` } })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
