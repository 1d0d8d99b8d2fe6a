// A door before a TCP server: while it is shut, connections are accepted and held; once open, all go through.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Gate {
  readonly port: number;
  /** Lets who waits and whoever comes through to this port. */
  open(to: number): void;
  /** Cuts every connection and stops listening. Idempotent. */
  close(): Promise<void>;
}

/** `port`: where it listens on 127.0.0.1. Default any. */
export async function startGate(port = 0): Promise<Gate> {
  const sockets = new Set<Socket>();
  const waiting: Socket[] = [];
  let target: number | null = null;
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const pass = (socket: Socket, to: number): void => {
    const onward = connect(to, '127.0.0.1');
    hold(onward);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  };
  const server = createServer((socket) => {
    hold(socket);
    if (target === null) waiting.push(socket);
    else pass(socket, target);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open: (to) => {
      target = to;
      for (const socket of waiting.splice(0)) if (!socket.destroyed) pass(socket, to);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server.close(), 'close');
    },
  };
}
