// One TLS connection with one request that asks to close it.
import { connectSecurely, type SecureOptions } from './secure-client.ts';

const LIMIT_MS = 5_000;

export interface Visit {
  /** The newest ticket, if any came: Node gives none on a resumed connection. */
  readonly ticket: Buffer | undefined;
  readonly resumed: boolean;
}

/** Rejects unless a 200 came. */
export function visit(port: number, request: string, options: SecureOptions): Promise<Visit> {
  const { promise, resolve, reject } = Promise.withResolvers<Visit>();
  const socket = connectSecurely(port, options);
  let ticket: Buffer | undefined;
  let resumed = false;
  let head = '';
  socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
  socket.on('session', (newest) => {
    ticket = newest;
  });
  socket.on('error', reject);
  socket.on('secureConnect', () => {
    resumed = socket.isSessionReused();
    socket.write(request);
  });
  socket.on('data', (chunk: Buffer) => {
    if (head.length < 12) head += chunk.toString('latin1', 0, 16);
  });
  socket.on('close', () => {
    if (head.startsWith('HTTP/1.1 200')) resolve({ ticket, resumed });
    else reject(new Error(`"${head.slice(0, 12)}" instead of a 200`));
  });
  return promise;
}
