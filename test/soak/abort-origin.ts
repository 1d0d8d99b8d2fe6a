// An upstream for very many aborted requests: answers as the phase in the path says and remembers nothing afterwards.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { CLIENT_PHASES } from '../faults/client-phases.ts';
import { Peer } from '../support/peer.ts';
import { splitMessage } from '../support/raw-message.ts';

const HEAD = /^[A-Z]+ \/(\d+)-(\d+) HTTP\/1\.1\r\n[\s\S]*?\r\n\r\n/;

export interface AbortOrigin {
  readonly port: number;
  readonly connections: number;
  /** Resolves when the request of that number, the path's second, has come. */
  asked(id: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startAbortOrigin(): Promise<AbortOrigin> {
  const waiting = new Map<number, () => void>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const peer = new Peer(socket);
    socket.on('close', () => void sockets.delete(socket));
    socket.on('end', () => socket.end());
    socket.on('data', () => {
      const [head, phase, id] = HEAD.exec(peer.text) ?? [];
      if (head === undefined) return;
      peer.forget();
      Promise.resolve(CLIENT_PHASES[Number(phase)]!.script(splitMessage(head), peer, 0)).catch(() => {});
      waiting.get(Number(id))?.();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    asked: (id) =>
      new Promise((resolve) => {
        waiting.set(id, () => {
          waiting.delete(id);
          resolve();
        });
      }),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
