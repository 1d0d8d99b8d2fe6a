// WebSocket connections, each with one message under way: sent, echoed, sent again.
// usage: node messages.ts PORT SECONDS CONNECTIONS BYTES
import { createSecureContext } from 'node:tls';
import { WebSocket } from 'ws';
import { percentile } from '../load/outcome.ts';
import { GROUP, SUITE } from '../load/secure-client.ts';

const [port, seconds, connections, bytes] = process.argv.slice(2) as [string, string, string, string];
const secureContext = createSecureContext({ minVersion: 'TLSv1.3', ciphers: SUITE, ecdhCurve: GROUP });
const message = Buffer.alloc(Number(bytes), 'perantara ');
const tookUs: number[] = [];
const errors: string[] = [];
const options = { rejectUnauthorized: false, perMessageDeflate: false, secureContext };

const sockets = await Promise.all(Array.from({ length: Number(connections) }, open));
const begin = performance.now();
const end = begin + Number(seconds) * 1_000;
await Promise.all(sockets.map(talk));
console.log(
  JSON.stringify({
    count: tookUs.length,
    seconds: (performance.now() - begin) / 1_000,
    p50Us: percentile(tookUs, 0.5),
    p99Us: percentile(tookUs, 0.99),
    errors,
  }),
);
process.exit();

function open(): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const socket = new WebSocket(`wss://localhost:${port}/`, { ...options, family: 4 } as object);
  socket.once('open', () => resolve(socket));
  socket.once('error', reject);
  return promise;
}

function talk(socket: WebSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sentAt = 0;
  const send = (): void => {
    sentAt = performance.now();
    socket.send(message);
  };
  socket.on('error', (error) => errors.push(error.message));
  socket.on('close', () => {
    if (performance.now() < end) errors.push('a connection was closed');
    resolve();
  });
  socket.on('message', (data: Buffer) => {
    const now = performance.now();
    if (!message.equals(data)) errors.push('an echo differs from its message');
    tookUs.push((now - sentAt) * 1_000);
    if (now < end) send();
    else socket.terminate();
  });
  send();
  return promise;
}
