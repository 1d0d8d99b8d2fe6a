// One request on a connection of its own, to see that a server is up and what it is; it does not ask to close, since
// http-proxy would hand that on to the upstream connection.
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { connectSecurely, requestText } from './secure-client.ts';

export interface Probe {
  readonly status: number;
  readonly body: string;
  /** Of HTTP/2 only, names in lower case. */
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly protocol: string;
  readonly suite: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
}

export interface Http2Probe {
  readonly path: string;
  /** POSTed. Default none: GET. */
  readonly content?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const LIMIT_MS = 5_000;

/** Over HTTP/1.1. Rejects when there is no TLS server or no whole response. */
export function getOnce(port: number, path: string): Promise<Probe> {
  const { promise, resolve, reject } = Promise.withResolvers<Probe>();
  const socket = connectSecurely(port);
  let text = '';
  let facts = { protocol: '', suite: '', fingerprint: '' };
  socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
  socket.on('error', reject);
  socket.on('secureConnect', () => {
    facts = factsOf(socket);
    socket.write(requestText(path, port, 'keep-alive'));
  });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const bodyAt = text.indexOf('\r\n\r\n') + 4;
    const length = /^content-length: *(\d+)/im.exec(text)?.[1];
    if (bodyAt > 3 && length !== undefined && text.length >= bodyAt + Number(length)) socket.destroy();
  });
  socket.on('close', () => {
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
    if (!(status > 0)) reject(new Error(`no HTTP response on port ${port}`));
    else resolve({ ...facts, status, body: text.slice(text.indexOf('\r\n\r\n') + 4), trailers: {} });
  });
  return promise;
}

/** Over HTTP/2. Rejects when there is no TLS server, no ALPN h2 or no whole response. */
export function askOverHttp2(port: number, { path, content, headers = {} }: Http2Probe): Promise<Probe> {
  const { promise, resolve, reject } = Promise.withResolvers<Probe>();
  const socket = connectSecurely(port, { protocol: 'h2' });
  socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`no HTTP/2 response on port ${port}`)));
  socket.on('secureConnect', () => {
    if (socket.alpnProtocol !== 'h2') return void socket.destroy(new Error('it does not take h2 by ALPN'));
    const session = connect(`https://localhost:${port}`, { createConnection: () => socket });
    session.on('error', reject);
    const head =
      content === undefined
        ? { ':method': 'GET', ':path': path }
        : { ':method': 'POST', ':path': path, 'content-length': content.length };
    const facts = factsOf(socket);
    const stream = session.request({ ...head, ...headers }, { endStream: content === undefined });
    collect(stream, (answer) => {
      resolve({ ...facts, ...answer });
      session.destroy();
    });
    stream.on('error', reject);
    if (content !== undefined) stream.end(content);
  });
  return promise;
}

function collect(
  stream: ClientHttp2Stream,
  onAnswer: (answer: Pick<Probe, 'status' | 'body' | 'trailers'>) => void,
): void {
  let status = 0;
  let body = '';
  let trailers: IncomingHttpHeaders = {};
  stream.setEncoding('latin1');
  stream.on('response', (head) => {
    status = head[':status'] ?? 0;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  stream.on('data', (chunk: string) => {
    body += chunk;
  });
  stream.on('end', () => onAnswer({ status, body, trailers: { ...trailers } }));
}

function factsOf(socket: TLSSocket): Pick<Probe, 'protocol' | 'suite' | 'fingerprint'> {
  return {
    protocol: socket.getProtocol() ?? '',
    suite: socket.getCipher().name,
    fingerprint: socket.getPeerCertificate().fingerprint256,
  };
}
