// HTTP/2 by node:http2 as a client: one session, and requests on it with everything that comes back.
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { TestContext } from 'node:test';

export interface H2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Heads of interim responses, in order. */
  readonly interim: readonly IncomingHttpHeaders[];
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

export interface Content {
  /** Default none: the request ends with its head. */
  readonly body?: Buffer | string;
  /** Sent after the content. Default none. */
  readonly trailers?: OutgoingHttpHeaders;
}

export interface H2Place {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly name: string;
  /** PEM of the authority that certified `name`. */
  readonly ca: string | Buffer;
}

/** Resolves when the server's SETTINGS are there. Destroyed after the test. */
export async function openSession(
  t: Pick<TestContext, 'after'>,
  { port, name, ca }: H2Place,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(`https://${name}:${port}`, {
    ca,
    host: '127.0.0.1',
    servername: name,
    // Large contents are written at once, and count: node:http2 closes streams of a session that holds more than this (MB).
    maxSessionMemory: 1_000,
    lookup: (_name, { all }, found) =>
      all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
    ...options,
  });
  session.on('error', () => {}); // told by its streams too
  t.after(() => session.destroy());
  await once(session, 'remoteSettings');
  return session;
}

/** Resolves when the response is complete; rejects with the stream's error. */
export function ask(session: ClientHttp2Session, head: OutgoingHttpHeaders, content: Content = {}): Promise<H2Answer> {
  const { body, trailers } = content;
  const isEmpty = body === undefined && trailers === undefined;
  const stream = session.request(head, { endStream: isEmpty, waitForTrailers: trailers !== undefined });
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (!isEmpty) stream.end(body);
  return answerOf(stream);
}

export function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<H2Answer>();
  const interim: IncomingHttpHeaders[] = [];
  const pieces: Buffer[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('headers', (head) => void interim.push(head));
  stream.on('response', (head) => {
    headers = head;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  stream.on('data', (piece: Buffer) => void pieces.push(piece));
  stream.on('error', reject);
  stream.on('end', () => {
    if (stream.rstCode === 0)
      resolve({ status: Number(headers[':status']), headers, interim, body: Buffer.concat(pieces), trailers });
  });
  stream.on('close', () => reject(new Error(`stream closed with code ${stream.rstCode}`)));
  return promise;
}
