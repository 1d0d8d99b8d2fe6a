// Ports for programs that cannot be told "any port". Chosen below the range from which the kernel takes the ports of outgoing
// connections, so that none of those gets there first.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const LOWEST = 12_000;
const HIGHEST = 31_999;

/** A port that is free for TCP and UDP on every address of this machine at this moment. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** `count` different free ports. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  try {
    while (ports.length < count) {
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
      const server = await holdTcp(port);
      if (server === null) continue;
      held.push(server);
      if (await isFreeForUdp(port)) ports.push(port);
    }
  } finally {
    await Promise.all(held.map((server) => once(server.close(), 'close')));
  }
  return ports;
}

async function holdTcp(port: number): Promise<Server | null> {
  const server = createServer();
  try {
    await once(server.listen(port), 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
