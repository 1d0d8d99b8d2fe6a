// Opens TLS connections from one loopback address, one request on each, and says so; then waits for SIGUSR2, sends one more
// request on each of them, says so, and holds them until it is ended, at most ten minutes.
// usage: node holding-clients.ts PORT COUNT SOURCE-ADDRESS
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { connectSecurely, requestText } from '../load/secure-client.ts';

const HOLD_MS = 600_000;
const ANSWER_MS = 20_000;
const AT_ONCE = 16;

const [port, count, localAddress] = process.argv.slice(2) as [string, string, string];
const request = requestText('/small', Number(port), 'keep-alive');
const sockets: TLSSocket[] = [];
const errors = new Map<string, number>();
let closed = 0;

setTimeout(() => process.exit(), HOLD_MS);
const again = once(process, 'SIGUSR2');
say(await inTurn(Number(count), open));
await again;
say(await inTurn(sockets.length, (index) => ask(sockets[index]!)));

async function open(): Promise<void> {
  const socket = connectSecurely(Number(port), { localAddress });
  socket.on('error', note);
  socket.on('close', () => closed++);
  sockets.push(socket);
  await once(socket, 'secureConnect');
  await ask(socket);
}

/** Resolves with a whole 200: these answers come in one piece. */
function ask(socket: TLSSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('no answer')), ANSWER_MS);
  const settle = (error?: Error): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('close', onClose);
    if (error === undefined) resolve();
    else reject(error);
  };
  const onClose = (): void => settle(new Error('a connection was closed'));
  const onData = (chunk: Buffer): void => {
    const head = chunk.toString('latin1', 0, 12);
    settle(head === 'HTTP/1.1 200' ? undefined : new Error(`"${head}" instead of a 200`));
  };
  if (socket.destroyed) onClose();
  socket.on('data', onData).on('close', onClose);
  socket.write(request);
  return promise;
}

/** Resolves with how many succeeded. */
async function inTurn(times: number, act: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  let good = 0;
  const worker = async (): Promise<void> => {
    while (next < times) {
      const index = next++;
      await act(index).then(() => good++, note);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return good;
}

function note(error: Error): void {
  errors.set(error.message, (errors.get(error.message) ?? 0) + 1);
}

function say(good: number): void {
  const open = sockets.length - closed;
  console.log(JSON.stringify({ good, open, errors: Array.from(errors, ([what, times]) => `${times} × ${what}`) }));
}
