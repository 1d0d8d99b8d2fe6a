// Very many clients that each hold a connection in another slow way, and what a normal client notices of them.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from '../support/chain.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';

const AT_ONCE = 32;
/** More than both ends' socket buffers take from an unread connection. */
const BIG_BYTES = 6 * 1024 * 1024;
const HALF_HELLO = Buffer.from('16030100c8010000c40303', 'hex');

interface Kind {
  readonly name: string;
  /** Of a hundred. */
  readonly share: number;
  readonly open: (port: number) => Promise<Peer>;
  /** Goes on sending it byte by byte. */
  readonly dribble?: string;
}

const secureWith = async (port: number, text: string, until = ''): Promise<Peer> => {
  const peer = await connectSecure(port);
  await peer.send(text);
  await peer.until(until);
  return peer;
};

export const KINDS: readonly Kind[] = [
  { name: 'silent TCP', share: 20, open: connectPlain },
  {
    name: 'half ClientHello',
    share: 20,
    open: async (port) => {
      const peer = await connectPlain(port);
      await peer.send(HALF_HELLO);
      return peer;
    },
  },
  {
    name: 'dribbled head',
    share: 20,
    open: (port) => secureWith(port, 'GET / HTTP/1.1\r\nHost: app.localhost\r\nX: '),
    dribble: 'x',
  },
  {
    name: 'dribbled body',
    share: 18,
    open: (port) => secureWith(port, request('/', ['Content-Length: 100000'], 'POST')),
    dribble: 'x',
  },
  {
    name: 'stopped reader',
    share: 2, // the system's buffers hold megabytes for each
    open: async (port) => {
      const peer = await secureWith(port, request('/big'), '200 OK');
      peer.socket.pause();
      return peer;
    },
  },
  { name: 'idle keep-alive', share: 20, open: (port) => secureWith(port, request(), '\r\n\r\nhello') },
];

export interface SlowCrowd {
  readonly peers: readonly Peer[];
  /** Those whose connection goes on. A paused one shows its end only when it reads on. */
  open(): number;
  /** Ends all, by FIN and RST in turn. */
  leave(): void;
}

/** Resolves when `count` connections are open, in these shares, and the dribbling goes on, a byte a second each. */
export async function gatherSlowCrowd(port: number, count: number): Promise<SlowCrowd> {
  const peers: Peer[] = [];
  const dribblers: (readonly [Peer, string])[] = [];
  const order = KINDS.flatMap((kind) => Array.from({ length: Math.round((kind.share * count) / 100) }, () => kind));
  const worker = async (): Promise<void> => {
    for (let kind = order.pop(); kind !== undefined; kind = order.pop()) {
      const peer = await kind.open(port);
      peers.push(peer);
      if (kind.dribble !== undefined) dribblers.push([peer, kind.dribble]);
    }
  };
  const timer = setInterval(() => {
    for (const [peer, bytes] of dribblers) if (peer.ended === 'no') peer.socket.write(bytes);
  }, 1_000);
  const leave = (): void => {
    clearInterval(timer);
    for (const [i, peer] of peers.entries()) peer[i % 2 === 0 ? 'destroy' : 'reset']();
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } catch (error) {
    leave();
    throw error;
  }
  return { peers, open: () => peers.filter(({ ended }) => ended === 'no').length, leave };
}

/** Answers GET at once, `/big` with more than is read, and POST once it is whole. */
export async function startCrowdOrigin(): Promise<{ port: number; stop(): Promise<void> }> {
  const big = Buffer.alloc(BIG_BYTES, 'x');
  const server = createServer((asked, answer) => {
    asked.resume();
    if (asked.method === 'GET') answer.end(asked.url === '/big' ? big : 'hello');
    else asked.on('end', () => answer.end('hello'));
  });
  await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

/** Latencies in milliseconds of so many requests one after another, each second one on a new connection; throws when one fails. */
export async function normalRequests(port: number, count: number): Promise<number[]> {
  const taken: number[] = [];
  const kept = await connectSecure(port);
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    const peer = i % 2 === 0 ? await connectSecure(port) : kept;
    await peer.send(request('/', [], 'GET'));
    const { status, body } = await peer.message();
    if (status !== 200 || body !== 'hello') throw new Error(`${status} ${body} instead of hello`);
    taken.push(performance.now() - from);
    if (peer !== kept) peer.destroy();
  }
  kept.destroy();
  return taken;
}
