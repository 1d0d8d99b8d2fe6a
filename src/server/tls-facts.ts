// What the handshake of an accepted socket agreed on, read once: a destroyed socket does not tell any more.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../http/exchange.ts';

/** null for a plain socket, or one whose client has left already. */
export function tlsFacts(socket: Socket): TlsFacts | null {
  if (!(socket instanceof TLSSocket)) return null;
  const version = socket.getProtocol();
  if (version === null) return null;
  return { version, cipher: socket.getCipher().standardName, resumed: socket.isSessionReused() };
}
