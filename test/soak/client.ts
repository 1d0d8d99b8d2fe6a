// What the kinds of traffic have in common: requests on kept connections, connections of their own, and checks.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Peer } from '../support/peer.ts';

const PATIENCE_MS = 15_000;
const KEPT_CONNECTIONS = 16;
export const HOST = 'app.localhost';
/** The sample upstream sends its content in such pieces, one like the other. */
const PIECE = Buffer.alloc(64 * 1024, 'perantara\n');
const PATTERN = Buffer.alloc(1024 * 1024, PIECE);

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
}

export interface Question extends RequestOptions {
  /** Sent in these pieces: with Content-Length when there is one, chunked otherwise. */
  readonly pieces?: readonly Buffer[];
}

export class SoakClient {
  readonly port: number;
  readonly httpPort: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: KEPT_CONNECTIONS });
  /** Newest ticket for HOST by TLS version; for another name it would not be taken (RFC 8446 section 4.6.1). */
  readonly sessions = new Map<string, Buffer>();
  /** Certificates seen for the name whose certificate is swapped. */
  readonly fingerprints = new Set<string>();

  constructor(port: number, httpPort: number) {
    this.port = port;
    this.httpPort = httpPort;
  }

  /** One request on a kept connection, answered whole. */
  ask(path: string, { pieces = [], ...options }: Question = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sent = request(
      {
        host: '127.0.0.1',
        port: this.port,
        path,
        agent: this.#agent,
        servername: HOST,
        rejectUnauthorized: false,
        ...options,
        headers: {
          host: HOST,
          ...(pieces.length === 1 ? { 'content-length': pieces[0]!.length } : {}),
          ...(options.headers as Record<string, string>),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0, headers, trailers } = response;
          resolve({ status: statusCode, headers, trailers, body: Buffer.concat(chunks) });
        });
      },
    );
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error(`no answer to ${path}`)));
    sent.on('error', reject);
    for (const piece of pieces) sent.write(piece);
    sent.end();
    return promise;
  }

  /** A TLS connection of its own, without a session unless one is given. */
  async connect(options: ConnectionOptions = {}): Promise<Peer> {
    const raw = connectTcp({ port: this.port, host: '127.0.0.1', noDelay: true });
    const socket = connectTls({ socket: raw, servername: HOST, rejectUnauthorized: false, ...options });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no sign of life')));
    socket.on('error', reject).on('close', () => reject(new Error('closed before it was connected')));
    if (options.servername === undefined)
      socket.on('session', (ticket) => this.sessions.set(socket.getProtocol() ?? '', ticket));
    socket.once('secureConnect', resolve);
    await promise;
    return new Peer(socket, () => raw.resetAndDestroy());
  }

  /** Gives kept connections back. */
  rest(): void {
    this.#agent.destroy();
  }
}

/** What the sample upstream sends as `/bytes/N`. */
export function pattern(bytes: number): Buffer {
  return PATTERN.subarray(0, bytes);
}

export function sha256(pieces: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

export function head(target: string, fields: readonly string[] = [], method = 'GET', host = HOST): string {
  return [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n');
}

export function tls({ socket }: Peer): TLSSocket {
  return socket as TLSSocket;
}
