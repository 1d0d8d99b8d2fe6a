// Whether somebody listens: for programs that do not say when they do.
import { connect } from 'node:net';

/** Resolves once a connection to the port on 127.0.0.1 stands, and lets it go. Rejects with the socket's error. */
export function accepts(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', reject);
  socket.on('connect', () => {
    socket.destroy();
    resolve();
  });
  return promise;
}
