// One request on a connection of its own, to see that a server is up and what it is; it does not ask to close, since
// http-proxy would hand that on to the upstream connection.
import { connectSecurely, requestText } from './secure-client.ts';

export interface Probe {
  readonly status: number;
  readonly body: string;
  readonly protocol: string;
  readonly suite: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
}

const LIMIT_MS = 5_000;

/** Rejects when there is no TLS server or no whole response. */
export function getOnce(port: number, path: string): Promise<Probe> {
  const { promise, resolve, reject } = Promise.withResolvers<Probe>();
  const socket = connectSecurely(port);
  let text = '';
  let facts = { protocol: '', suite: '', fingerprint: '' };
  socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
  socket.on('error', reject);
  socket.on('secureConnect', () => {
    facts = {
      protocol: socket.getProtocol() ?? '',
      suite: socket.getCipher().name,
      fingerprint: socket.getPeerCertificate().fingerprint256,
    };
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
    else resolve({ ...facts, status, body: text.slice(text.indexOf('\r\n\r\n') + 4) });
  });
  return promise;
}
